import type { ResultOf } from '../../db/database.ts';
import { Problem } from '../../kernel/errors.ts';
import { canonicalHash } from '../../kernel/hash.ts';
import type { RateLimitState } from '../../kernel/rate-limit.ts';
import type { Context } from '../context.ts';

export type RedeemCodeInput = {
  userId: string;
  /** In the form in which it is stored. */
  code: string;
  /** The caller's IP address in the form that rate limits count. */
  ip: string;
  idempotencyKey: string | null;
};

export type Redemption = { status: number; body: unknown; isReplay: boolean };

type RedeemContext = Pick<Context, 'db' | 'log' | 'policy'>;
type Result = ResultOf<'redeem_code'>;

/**
 * Gives the account the credits of a code, once; a repeat adds none. Throws ERR_4018 for a code that is unknown, expired or used
 * up, without saying which, and ERR_4004 after too many of them in an hour.
 */
export async function redeemCode(ctx: RedeemContext, input: RedeemCodeInput): Promise<Redemption> {
  const { limits } = ctx.policy;
  const result = await ctx.db.call('redeem_code', {
    user_id: input.userId,
    code: input.code,
    limit_account: limits.codeGuessesPerHour,
    limit_address: limits.codeGuessesPerHourPerIp,
    address: input.ip,
    idempotency_key: input.idempotencyKey,
    request_hash: await canonicalHash({ code: input.code }),
  });
  // The code itself may be worth credits to whoever reads the log.
  if (result.outcome === 'redeemed') {
    ctx.log.info(
      { event: 'code_redeemed', user_id: input.userId, code_id: result.code_id, credits: result.credits },
      'a code was redeemed',
    );
  }
  if (result.outcome === 'rate_limited') {
    ctx.log.warn({ user_id: input.userId, limit_of: result.scope }, 'too many codes were guessed');
  }
  return redemptionOf(result);
}

function redemptionOf(result: Result): Redemption {
  switch (result.outcome) {
    case 'redeemed':
    case 'repeated':
    case 'replayed':
      return { status: result.status_code, body: result.response, isReplay: result.outcome === 'replayed' };
    case 'key_reused':
      throw new Problem('ERR_4009', { details: { field: 'Idempotency-Key' } });
    case 'user_not_found':
      throw new Problem('ERR_4005');
    case 'unusable':
      throw new Problem('ERR_4018', { details: { field: 'code' }, limit: stateOf(result) });
    case 'rate_limited': {
      const state = stateOf(result);
      throw new Problem('ERR_4004', {
        details: { retry_after: state.resetSeconds, reason: 'code_guesses' },
        retryAfterSeconds: state.resetSeconds,
        limit: state,
      });
    }
  }
}

function stateOf(result: Extract<Result, { outcome: 'unusable' | 'rate_limited' }>): RateLimitState {
  return {
    policy: 'code_guesses',
    limit: result.limit,
    windowSeconds: result.window_seconds,
    remaining: result.remaining,
    resetSeconds: result.reset_seconds,
  };
}
