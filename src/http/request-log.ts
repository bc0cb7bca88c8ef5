import type { MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { Clock } from '../kernel/clock.ts';
import { Problem } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import type { HttpContext, HttpEnv } from './env.ts';

/**
 * One line for each request: method, route pattern, status, milliseconds, request id, error code and user id. Never a
 * path as it was called, a query or a body, which may name people and hold tokens.
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

/** The pattern of the route that answered, such as `/storage/v1/object/:bucket/*`; `none` where there is no such route. */
export function routeOf(c: HttpContext): string {
  return matchedRoutes(c).findLast(({ method }) => method !== 'ALL')?.path ?? 'none';
}
