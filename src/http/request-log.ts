/** What operators learn of a request: a line, what went wrong in another one, metrics, and a span. */
import type { MiddlewareHandler } from 'hono';
import type { Clock } from '../kernel/clock.ts';
import type { Problem } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import { withLogFields } from '../kernel/log-scope.ts';
import type { Metrics } from '../kernel/metrics.ts';
import type { Span, Tracer } from '../kernel/tracer.ts';
import type { HttpContext, HttpEnv } from './env.ts';
import { routeOf } from './matched-route.ts';
import { NoAccess } from './no-access.ts';

export type RequestLogOptions = {
  log: Log;
  clock: Clock;
  metrics: Metrics;
  tracer: Tracer;
  /** The problem that an error is for the caller. */
  problemOf(error: unknown): Problem;
};

/** Clients may send any word for a method. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
/** Reasons in an ERR_4005's details that are their own; every other is `other`. */
const REASONS = ['expired', 'identity_token', 'link', 'signature', 'upload_link_expired'];

/**
 * Logs one line per request: method, route pattern, status, milliseconds, request id, error code and user id; and one for an error or
 * a replay. Never the actual path, the query or the body, which may contain personal data and tokens. All lines of a request have
 * its id.
 */
export function requestLog(options: RequestLogOptions): MiddlewareHandler<HttpEnv> {
  const { clock, tracer } = options;
  return async (c, next) => {
    const startedAt = clock.now().getTime();
    const began = performance.now();
    const report = (span: Span | null) => {
      const problem = c.error ? options.problemOf(c.error) : null;
      const ms = clock.now().getTime() - startedAt;
      logRequest(options.log, c, ms, problem);
      countRequest(options.metrics, c, (performance.now() - began) / 1_000, problem);
      if (span) describeSpan(span, c, problem);
    };
    await withLogFields({ request_id: c.get('requestId') }, async () => {
      if (!tracer.isOn) {
        await next();
        return report(null);
      }
      // The route is known after the request.
      const parent = c.req.header('traceparent') ?? null;
      await tracer.span(methodOf(c), { kind: 'server', parent }, async (span) => {
        await next();
        report(span);
      });
    });
  };
}

function methodOf(c: HttpContext): string {
  return METHODS.includes(c.req.method) ? c.req.method : 'other';
}

function logRequest(log: Log, c: HttpContext, ms: number, problem: Problem | null): void {
  const caller = c.get('caller');
  const administrator = c.get('administrator');
  const common = {
    request_id: c.get('requestId'),
    method: methodOf(c),
    route: routeOf(c),
    status: c.res.status,
    ms,
    ...(problem ? { code: problem.code } : {}),
    ...(caller ? { user_id: caller.userId } : {}),
    ...(administrator ? { admin_user_id: administrator.userId } : {}),
  };
  log.info({ event: 'request', ...common }, 'request');
  if (problem?.code === 'ERR_4004')
    log.info({ event: 'rate_limited', ...common, policy: policyOf(problem) }, 'rate limited');
  else if (problem?.code === 'ERR_4005')
    log.info({ event: 'auth_failed', ...common, reason: reasonOf(problem) }, 'authentication failed');
  else if (problem) log.info({ event: 'api_error', ...common }, 'api error');
  const isReplay = c.res.headers.get('X-Idempotent-Replay') === 'true';
  if (administrator && c.req.method === 'POST' && c.res.ok && !isReplay)
    log.info({ event: 'admin_action', ...common }, 'admin action');
  if (isReplay) log.info({ event: 'idempotent_replay', ...common }, 'idempotent replay');
}

function countRequest(metrics: Metrics, c: HttpContext, seconds: number, problem: Problem | null): void {
  const labels = { route: routeOf(c), method: methodOf(c), status: String(c.res.status) };
  metrics.count('rendio_http_requests_total', labels);
  metrics.observe('rendio_http_request_duration_seconds', {}, seconds);
  if (!problem) return;
  metrics.count('rendio_errors_total', { code: problem.code });
  if (problem.code === 'ERR_4004') metrics.count('rendio_rate_limited_total', { policy: policyOf(problem) });
  if (problem.code === 'ERR_4005') metrics.count('rendio_auth_failures_total', { reason: reasonOf(problem) });
  if (problem.code === 'ERR_4010') metrics.count('rendio_auth_failures_total', { reason: 'device' });
  if (problem.code === 'ERR_4013') metrics.count('rendio_auth_failures_total', { reason: 'banned' });
}

function policyOf({ limit }: Problem): string {
  return limit?.policy ?? 'other';
}

/** In one word, of a few. */
function reasonOf(problem: Problem): string {
  const reason = String(problem.details.reason);
  if (REASONS.includes(reason)) return reason;
  if (problem instanceof NoAccess) return problem.why;
  return problem.status === 403 ? 'forbidden' : 'other';
}

function describeSpan(span: Span, c: HttpContext, problem: Problem | null): void {
  const [method, route, { status }] = [methodOf(c), routeOf(c), c.res];
  span.rename(`${method} ${route}`);
  span.set({
    'http.request.method': method,
    'http.route': route,
    'http.response.status_code': status,
    'rendio.request_id': c.get('requestId'),
    ...(problem ? { 'rendio.error_code': problem.code } : {}),
  });
  if (status >= 500) span.fail(problem?.code ?? String(status));
}
