import type { MiddlewareHandler } from 'hono';
import type { ErrorLog } from '../kernel/error-log.ts';
import { causesOf } from './describe-error.ts';
import type { HttpContext, HttpEnv } from './env.ts';
import { routeOf } from './matched-route.ts';
import { asProblem } from './problem.ts';

/** Its 503 says what it was asked: the process is not ready. */
const PROBE = '/readyz';

/** Passes every request that ends with a 5xx to the error log, without waiting for it. */
export function failedRequests(errors: ErrorLog): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    await next();
    if (c.res.status < 500 || c.req.path === PROBE) return;
    errors.add({
      code: c.error ? asProblem(c.error).code : 'ERR_6003',
      status: c.res.status,
      method: c.req.method,
      endpoint: routeOf(c),
      userId: accountOf(c),
      requestId: c.get('requestId'),
      causes: c.error ? causesOf(asProblem(c.error).cause ?? c.error) : [],
    });
  };
}

function accountOf(c: HttpContext): string | null {
  return c.get('caller')?.userId ?? c.get('administrator')?.userId ?? null;
}
