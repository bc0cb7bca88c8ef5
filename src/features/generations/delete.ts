import { Problem } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';

/** Hides a finished generation from its owner and has its files deleted. Repeating it is a success. */
export async function deleteGeneration(
  ctx: Pick<Context, 'db'>,
  input: { userId: string; jobId: string },
): Promise<void> {
  const outcome = await ctx.db.call('delete_generation', { user_id: input.userId, job_id: input.jobId });
  if (outcome === 'running') throw new Problem('ERR_4008', { details: { reason: 'running' } });
  if (outcome === 'not_found') throw new Problem('ERR_4007');
}
