import type { Context } from '../context.ts';
import { failGeneration } from './fail.ts';

/** One sweep's share; the next one comes in seconds. */
const BATCH = 100;

/**
 * Ends every generation that is past its deadline, with its credits back, and finds those that no queue task cares for
 * any more. With it alone, every generation would still come to its right end.
 */
export async function sweepGenerations(ctx: Context): Promise<{ expired: number; requeued: number }> {
  const late = await ctx.db.read
    .selectFrom('video_jobs')
    .select('job_id')
    .where('status', 'in', ['pending', 'processing'])
    .where('deadline_at', '<=', ctx.clock.now())
    .orderBy('deadline_at')
    .limit(BATCH)
    .execute();
  let expired = 0;
  for (const { job_id } of late) {
    if (await expire(ctx, job_id)) expired += 1;
  }
  const requeued = await ctx.db.call<number>('requeue_orphans', { limit: BATCH });
  return { expired, requeued };
}

/** One that cannot be ended does not keep the others from their credits. */
async function expire(ctx: Context, jobId: string): Promise<boolean> {
  try {
    return await failGeneration(ctx, jobId, 'ERR_5001', 'past its deadline');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    ctx.log.error({ job_id: jobId, code }, 'a generation past its deadline could not be ended');
    return false;
  }
}
