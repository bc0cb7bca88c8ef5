import type { Context } from '../context.ts';
import { converse } from './converse.ts';
import { findJob } from './job.ts';
import { mediaPaths } from './media-paths.ts';

/** A provider gets this long to hear that a generation is no longer wanted. */
const CANCEL_TIMEOUT_MS = 30_000;

/**
 * Clears up after a generation that has ended: of one that failed or was deleted no file stays and the provider stops
 * working on it; of every one the provider's own copy goes. Does nothing while it runs.
 */
export async function stopGeneration(ctx: Context, jobId: string, signal: AbortSignal): Promise<void> {
  const job = await findJob(ctx, jobId);
  if (!job || (job.status !== 'failed' && job.status !== 'completed')) return;
  if (job.status === 'failed' || job.isDeleted) {
    const paths = mediaPaths(job.userId, job.createdAt, jobId);
    await ctx.media.remove(`videos/${paths.video}`);
    await ctx.media.remove(`thumbnails/${paths.thumbnail}`);
  }
  const { provider, providerJobId } = job;
  if (provider && providerJobId && job.status === 'failed') {
    const visit = await converse(ctx, provider, () => {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(CANCEL_TIMEOUT_MS)]);
      return provider.cancel(job.request, providerJobId, limit);
    });
    if (visit.isFull) {
      await ctx.db.call('schedule_stop', { job_id: jobId, delay_ms: visit.comeBackMs });
      return;
    }
    // Unless it had ended by itself before.
    await ctx.db.call('end_attempt', { job_id: jobId, result: 'stopped', error: null, cost_usd: null });
  }
  await provider?.release(jobId);
}
