import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { Problem } from '../kernel/errors.ts';
import type { RateLimitState } from '../kernel/rate-limit.ts';
import type { HttpContext } from './env.ts';

/** The two fields of the IETF draft, such as `"generations";q=10;w=3600` and `"generations";r=7;t=1200`. */
export function rateLimitHeaders(state: RateLimitState): Record<'RateLimit-Policy' | 'RateLimit', string> {
  const { policy, limit, windowSeconds, remaining, resetSeconds } = state;
  return {
    'RateLimit-Policy': `"${policy}";q=${limit}${windowSeconds === null ? '' : `;w=${windowSeconds}`}`,
    RateLimit: `"${policy}";r=${Math.max(0, remaining)};t=${wholeSeconds(resetSeconds)}`,
  };
}

/** Tells the state on the response to come. Of several limits the one told last is shown. */
export function tellRateLimit(c: HttpContext, state: RateLimitState): void {
  for (const [name, value] of Object.entries(rateLimitHeaders(state))) c.header(name, value);
}

/** The 429 for a used-up limit. `Retry-After` is at least one second. */
export function rateLimited(state: RateLimitState): Problem {
  const retryAfterSeconds = Math.max(1, wholeSeconds(state.resetSeconds));
  return new Problem('ERR_4004', {
    details: { retry_after: retryAfterSeconds },
    retryAfterSeconds,
    limit: { ...state, remaining: 0 },
  });
}

export type CallLimiter = {
  /** Counts one call of an account; throws the 429 when the minute's calls are used up. */
  take(accountId: string): Promise<RateLimitState>;
};

const CALLS_WINDOW_SECONDS = 60;

/**
 * Counts calls in this process alone. It keeps a runaway client from hurting the others; what costs money is counted in
 * the database.
 */
export function createCallLimiter(perMinute: number): CallLimiter {
  const limiter = new RateLimiterMemory({ points: perMinute, duration: CALLS_WINDOW_SECONDS });
  const stateOf = ({ remainingPoints, msBeforeNext }: RateLimiterRes): RateLimitState => ({
    policy: 'calls',
    limit: perMinute,
    windowSeconds: CALLS_WINDOW_SECONDS,
    remaining: remainingPoints,
    resetSeconds: msBeforeNext / 1000,
  });
  return {
    async take(accountId) {
      try {
        return stateOf(await limiter.consume(accountId));
      } catch (refused) {
        throw refused instanceof RateLimiterRes ? rateLimited(stateOf(refused)) : refused;
      }
    },
  };
}

function wholeSeconds(seconds: number): number {
  return Math.max(0, Math.ceil(seconds));
}
