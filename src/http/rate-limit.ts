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

/** Sets the rate limit headers of the response. A later call replaces the headers of an earlier one. */
export function setRateLimitHeaders(c: HttpContext, state: RateLimitState): void {
  for (const [name, value] of Object.entries(rateLimitHeaders(state))) c.header(name, value);
}

/** ERR_4004 (429) for a limit that is used up. `Retry-After` is at least one second. */
export function rateLimited(state: RateLimitState): Problem {
  const retryAfterSeconds = Math.max(1, wholeSeconds(state.resetSeconds));
  return new Problem('ERR_4004', {
    details: { retry_after: retryAfterSeconds },
    retryAfterSeconds,
    limit: { ...state, remaining: 0 },
  });
}

export type CallLimiter = {
  /** Counts one call of an account. Throws ERR_4004 (429) when the calls of this minute are used up. */
  take(accountId: string): Promise<RateLimitState>;
};

const CALLS_WINDOW_SECONDS = 60;

/**
 * Counts calls in this process only, so that a runaway client does not slow down the others. Calls that cost money are
 * counted in the database.
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
      } catch (error) {
        throw error instanceof RateLimiterRes ? rateLimited(stateOf(error)) : error;
      }
    },
  };
}

function wholeSeconds(seconds: number): number {
  return Math.max(0, Math.ceil(seconds));
}
