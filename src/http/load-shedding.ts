import type { MiddlewareHandler } from 'hono';
import { Problem } from '../kernel/errors.ts';
import type { ReadOverload } from '../kernel/overload.ts';
import type { HttpEnv } from './env.ts';

/** Clients come back after this time; a short overload is over by then. */
const RETRY_AFTER_SECONDS = 2;

/**
 * Refuses new calls with ERR_6001 (503) at once while the process has more work than it can do, so that what it has begun is
 * finished. `isExempt`: calls that are always taken, such as health checks.
 */
export function shedLoad(readOverload: ReadOverload, isExempt: (path: string) => boolean): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const overload = isExempt(c.req.path) ? null : readOverload();
    if (overload !== null) throw busy(RETRY_AFTER_SECONDS, new Error(`too much work for the ${overload}`));
    await next();
  };
}

/** A 503, which every client repeats. A 429 some clients take as final: they sign the user out. */
export function busy(retryAfterSeconds: number, cause?: Error): Problem {
  const details = { reason: 'busy', retry_after: retryAfterSeconds };
  return new Problem('ERR_6001', { details, retryAfterSeconds, cause });
}
