import { Problem } from '../../kernel/errors.ts';
import type { RateLimitState } from '../../kernel/rate-limit.ts';

/** `limit`: what is left of the account's generations; absent in a replay. */
export type Answer = { status: number; body: unknown; isReplay: boolean; limit?: RateLimitState };

/** ERR_4004 for a full limit; `reason` selects one of its messages. */
export function limitReached(state: RateLimitState, reason?: string): Problem {
  const { resetSeconds: retryAfterSeconds } = state;
  return new Problem('ERR_4004', {
    details: { retry_after: retryAfterSeconds, ...(reason === undefined ? {} : { reason }) },
    retryAfterSeconds,
    limit: state,
  });
}
