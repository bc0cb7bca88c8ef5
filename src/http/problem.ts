import type { ErrorHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { isDatabaseOutage } from '../db/outage.ts';
import { errorCodeOf } from '../kernel/error-code.ts';
import { type ErrorCode, Problem } from '../kernel/errors.ts';
import { type Locale, pickLocale } from '../kernel/locale.ts';
import type { Log } from '../kernel/log.ts';
import { messageFor } from '../kernel/messages/index.ts';
import { describeError } from './describe-error.ts';
import type { HttpContext, HttpEnv } from './env.ts';
import { HttpProblem } from './http-problem.ts';
import { routeOf } from './matched-route.ts';
import { PROBLEM_JSON, problemJson, wantsProblemJson } from './problem-json.ts';
import { rateLimitHeaders } from './rate-limit.ts';

/** Our codes for errors that Hono throws itself; its other 4xx are ERR_4006. */
const FRAMEWORK_CODES: Record<number, ErrorCode> = {
  401: 'ERR_4005',
  404: 'ERR_4007',
  405: 'ERR_4016',
  413: 'ERR_4014',
  415: 'ERR_4015',
};

/** Returns the language of this request's response. */
export function localeOf(c: HttpContext): Locale {
  return pickLocale(c.req.header('Accept-Language'), c.get('language'));
}

/** Turns any error into a problem for the caller. An unexpected one becomes a 503 or a 500 with a private cause. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof HTTPException && error.status < 500) {
    const code = FRAMEWORK_CODES[error.status] ?? 'ERR_4006';
    return new Problem(code, { details: code === 'ERR_4006' ? { field: 'body' } : {}, cause: error });
  }
  return new Problem(isDatabaseOutage(error) ? 'ERR_6001' : isDiskFailure(error) ? 'ERR_6002' : 'ERR_6003', {
    cause: error,
  });
}

/** The disk that a request's body is received on is full, read-only or broken: the same request may succeed later. */
function isDiskFailure(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO'].includes(errorCodeOf(error) ?? '');
}

/** Returns the contract's error body, status and headers for anything that was thrown. */
export function toErrorResponse(c: HttpContext, error: unknown, locale: Locale = localeOf(c)): Response {
  const problem = asProblem(error);
  const { code, status, details } = problem;
  const reason = code === 'ERR_4005' && status === 403 ? { reason: 'forbidden' } : {};
  const message = messageFor(code, locale, { ...reason, ...details });
  const challenge = status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {};
  const headers = { 'Content-Language': locale, ...challenge, ...headersOf(problem) };
  // Set on the context, where they replace headers from before the failure, such as a limit's state.
  for (const [name, value] of Object.entries(headers)) c.header(name, value);
  c.header('Vary', 'Accept, Accept-Language', { append: true });
  if (!wantsProblemJson(c)) return c.json({ error: { code, message, details } }, status);
  const asked = { message, origin: c.get('origin') ?? '', requestId: c.get('requestId') };
  return c.body(JSON.stringify(problemJson(problem, asked)), status, { 'Content-Type': PROBLEM_JSON });
}

/** Returns the response headers of a problem. */
export function headersOf(problem: Problem): Record<string, string> {
  const { retryAfterSeconds, limit } = problem;
  return {
    ...(retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) }),
    ...(limit && rateLimitHeaders(limit)),
    ...(problem instanceof HttpProblem ? problem.headers : {}),
  };
}

/** A pause, and too much work: nothing has failed, and there may be very many. */
function isRefusal({ code, details }: Problem): boolean {
  return code === 'ERR_4019' || details.reason === 'busy';
}

/** Hono's `onError`: responds in the caller's language and logs the cause of a 5xx, which callers must not see. */
export function errorHandler(log: Log): ErrorHandler<HttpEnv> {
  return (error, c) => {
    const problem = asProblem(error);
    if (problem.status >= 500 && !isRefusal(problem)) {
      const { code, cause } = problem;
      const fields = { request_id: c.get('requestId'), route: routeOf(c), code, error: describeError(cause ?? error) };
      if (code === 'ERR_6003') log.error(fields, 'request failed unexpectedly');
      else log.warn(fields, 'request failed');
    }
    return toErrorResponse(c, problem);
  };
}
