import { Problem } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';

/** Takes a finished generation and its files out of its owner's sight. Repeating it is a success. */
export async function removeGeneration(ctx: Context, input: { userId: string; jobId: string }): Promise<void> {
  const outcome = await ctx.db.call<'deleted' | 'running' | 'not_found'>('delete_generation', {
    user_id: input.userId,
    job_id: input.jobId,
  });
  if (outcome === 'running') throw new Problem('ERR_4008', { details: { reason: 'running' } });
  if (outcome === 'not_found') throw new Problem('ERR_4007');
}
