import type { MiddlewareHandler } from 'hono';
import { Problem } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import type { ReadOverload } from '../kernel/overload.ts';
import type { HttpEnv } from './env.ts';

/** A short overload is over by then. Not the same for all callers: they would come back together. */
const RETRY_AFTER_SECONDS = [2, 3, 4, 5];

export type LoadSheddingOptions = {
  log: Log;
  readOverload: ReadOverload;
  /** Calls that are always taken, such as health checks. */
  isExempt(path: string): boolean;
};

/**
 * Refuses new calls with ERR_6001 (503) at once while the process has more work than it can do, so that what it has begun is
 * finished. Logs when this begins and ends: a line for each call would be more work.
 */
export function shedLoad({ log, readOverload, isExempt }: LoadSheddingOptions): MiddlewareHandler<HttpEnv> {
  let refused = 0;
  return async (c, next) => {
    const overload = isExempt(c.req.path) ? null : readOverload();
    if (overload === null) {
      if (refused > 0 && readOverload() === null) {
        log.warn({ refused }, 'new work is taken again');
        refused = 0;
      }
      return next();
    }
    if (refused === 0) log.warn({ overload }, 'too much work: new work is refused');
    refused += 1;
    throw busy(RETRY_AFTER_SECONDS[refused % RETRY_AFTER_SECONDS.length] ?? 2);
  };
}

/** A 503, which every client repeats. A 429 some clients take as final: they sign the user out. */
export function busy(retryAfterSeconds: number): Problem {
  return new Problem('ERR_6001', { details: { reason: 'busy', retry_after: retryAfterSeconds }, retryAfterSeconds });
}
