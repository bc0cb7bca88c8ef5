import type { ResultOf } from '../../db/database.ts';
import { Problem } from '../../kernel/errors.ts';
import { canonicalHash } from '../../kernel/hash.ts';
import type { Context } from '../context.ts';
import { type Answer, limitReached } from './answer.ts';
import { askWhetherBegun, type CancelContext } from './has-begun.ts';

export type CancelGenerationInput = { userId: string; jobId: string; idempotencyKey: string | null };

/**
 * Cancels and refunds a generation whose video is not made yet; otherwise throws ERR_4008. A provider that has begun bills all
 * the same, so an account's refunds of such generations are limited: ERR_4004, and the generation goes on.
 */
export async function cancelGeneration(
  ctx: CancelContext & Pick<Context, 'log' | 'policy'>,
  input: CancelGenerationInput,
): Promise<Answer> {
  const { userId, jobId } = input;
  const progress = await askWhetherBegun(ctx, userId, jobId);
  if (progress === 'made') throw new Problem('ERR_4008', { details: { reason: 'finished', status: 'processing' } });
  const result = await ctx.db.call('cancel_generation', {
    user_id: userId,
    job_id: jobId,
    idempotency_key: input.idempotencyKey,
    request_hash: await canonicalHash({ job_id: jobId }),
    limit_refunded: ctx.policy.limits.refundedCancelsPerHour,
    is_begun: progress === 'begun',
  });
  if (result.outcome === 'cancelled') {
    const isBegun = progress === 'begun';
    const fields = { user_id: userId, job_id: jobId, is_begun: isBegun };
    const message = 'a generation was cancelled by its user';
    if (isBegun)
      ctx.log.warn({ event: 'video_generation_cancelled', ...fields }, `${message} after its provider had begun`);
    else ctx.log.info({ event: 'video_generation_cancelled', ...fields }, message);
    ctx.log.info({ event: 'credits_refunded', ...fields }, 'a cancelled generation was refunded');
  }
  return answerOf(result);
}

function answerOf(result: ResultOf<'cancel_generation'>): Answer {
  switch (result.outcome) {
    case 'cancelled':
    case 'replayed':
      return { status: result.status_code, body: result.response, isReplay: result.outcome === 'replayed' };
    case 'key_reused':
      throw new Problem('ERR_4009', { details: { field: 'Idempotency-Key' } });
    case 'not_found':
      throw new Problem('ERR_4007');
    case 'final':
      throw new Problem('ERR_4008', { details: { reason: 'finished', status: result.status } });
    case 'rate_limited':
      throw limitReached(
        {
          policy: 'refunded_cancels',
          limit: result.limit,
          windowSeconds: result.window_seconds,
          remaining: 0,
          resetSeconds: result.reset_seconds,
        },
        'refunded_cancels',
      );
  }
}
