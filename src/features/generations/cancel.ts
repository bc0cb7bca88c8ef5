import { Problem } from '../../kernel/errors.ts';
import { canonicalHash } from '../../kernel/hash.ts';
import type { Context } from '../context.ts';
import type { Answer } from './begin.ts';

export type CancelGenerationInput = { userId: string; jobId: string; idempotencyKey: string | null };

/** Cancels a generation whose video is not made yet, and refunds it. Throws ERR_4008 for any other. */
export async function cancelGeneration(ctx: Pick<Context, 'db'>, input: CancelGenerationInput): Promise<Answer> {
  const result = await ctx.db.call('cancel_generation', {
    user_id: input.userId,
    job_id: input.jobId,
    idempotency_key: input.idempotencyKey,
    request_hash: await canonicalHash({ job_id: input.jobId }),
  });
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
  }
}
