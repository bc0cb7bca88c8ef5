import type { Hono, NotFoundHandler } from 'hono';
import { Problem } from '../kernel/errors.ts';
import { inDialect } from './dialect.ts';
import type { HttpEnv } from './env.ts';
import { HttpProblem } from './http-problem.ts';
import { toErrorResponse } from './problem.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/**
 * Hono's `notFound` for an app: 405 with `Allow` if the path exists under other methods, else 404. Only routes that are
 * registered for a method count, not middleware.
 */
export function unrouted(app: Hono<HttpEnv>): NotFoundHandler<HttpEnv> {
  return (c) => {
    const routed = METHODS.filter((method) => {
      const [matches] = app.router.match(method, c.req.path);
      return matches.some(([[, route]]) => route.method === method);
    });
    const allowed = routed.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
    const isUnknown = allowed.length === 0 || allowed.includes(c.req.method);
    const problem = isUnknown
      ? new Problem('ERR_4007')
      : new HttpProblem('ERR_4016', { details: { allowed }, headers: { Allow: allowed.join(', ') } });
    // As if it had been thrown: what reports requests finds it here.
    c.error = problem;
    return inDialect(c, problem, toErrorResponse(c, problem));
  };
}
