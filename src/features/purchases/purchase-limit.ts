import { Problem } from '../../kernel/errors.ts';
import type { RateLimitState } from '../../kernel/rate-limit.ts';
import type { Context } from '../context.ts';

const WINDOW_SECONDS = 3600;

/** Counts a call against the account's purchases, across all servers. */
export async function takePurchaseSlot(
  ctx: Pick<Context, 'db' | 'policy'>,
  userId: string,
): Promise<RateLimitState & { isAllowed: boolean }> {
  const slot = await ctx.db.call('take_account_limit', {
    action: 'purchases',
    user_id: userId,
    limit: ctx.policy.limits.purchasesPerHour,
    window_seconds: WINDOW_SECONDS,
  });
  if (slot === null) throw new Problem('ERR_4005');
  const { allowed: isAllowed, limit, window_seconds: windowSeconds, remaining, reset_seconds: resetSeconds } = slot;
  return { policy: 'purchases', limit, windowSeconds, remaining, resetSeconds, isAllowed };
}
