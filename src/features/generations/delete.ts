import { Problem } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';

/** Hides a finished generation from its owner and schedules the deletion of its files. Repeating it succeeds. */
export async function deleteGeneration(
  ctx: Pick<Context, 'db'>,
  input: { userId: string; jobId: string },
): Promise<void> {
  const outcome = await ctx.db.call('delete_generation', { user_id: input.userId, job_id: input.jobId });
  if (outcome === 'running') throw new Problem('ERR_4008', { details: { reason: 'running' } });
  if (outcome === 'not_found') throw new Problem('ERR_4007');
}
