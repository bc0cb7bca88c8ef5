import type { MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { Clock } from '../kernel/clock.ts';
import { Problem } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import type { HttpContext, HttpEnv } from './env.ts';

/**
 * Logs one line per request: method, route pattern, status, milliseconds, request id, error code and user id. Never the
 * actual path, the query or the body, which may contain personal data and tokens.
 */
export function requestLog(log: Log, clock: Clock): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const startedAt = clock.now().getTime();
    await next();
    const fields = {
      request_id: c.get('requestId'),
      method: c.req.method,
      route: routeOf(c),
      status: c.res.status,
      ms: clock.now().getTime() - startedAt,
      ...(c.error instanceof Problem ? { code: c.error.code } : {}),
      ...(c.get('caller') ? { user_id: c.get('caller')?.userId } : {}),
    };
    log.info(fields, 'request');
  };
}

/** Returns the pattern of the matched route, such as `/storage/v1/object/:bucket/*`; `none` if no route matched. */
export function routeOf(c: HttpContext): string {
  return matchedRoutes(c).findLast(({ method }) => method !== 'ALL')?.path ?? 'none';
}
