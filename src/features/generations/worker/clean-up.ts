import type { Context } from '../../context.ts';
import { type FoundJob, findJob, type JobContext } from '../job.ts';
import { withProviderSlot } from './provider-slot.ts';

const CANCEL_TIMEOUT_MS = 30_000;

/**
 * Cleans up after an ended generation: deletes the stored files of a failed or deleted one, cancels a failed one at the
 * provider, and releases the provider's own copy of every one. Does nothing while the generation runs.
 */
export async function cleanUpGeneration(
  ctx: JobContext & Pick<Context, 'bulkhead'>,
  jobId: string,
  signal: AbortSignal,
): Promise<void> {
  const job = await findJob(ctx, jobId);
  if (!job || (job.status !== 'failed' && job.status !== 'completed')) return;
  if (job.status === 'failed' || job.isDeleted) await deleteFiles(ctx, job);
  const { provider, providerJobId } = job;
  if (provider && providerJobId && job.status === 'failed') {
    const slot = await withProviderSlot(ctx, provider, () => {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(CANCEL_TIMEOUT_MS)]);
      return provider.cancel(job.request, providerJobId, limit);
    });
    if (!slot.hasRun) {
      await ctx.db.call('schedule_cleanup', { job_id: jobId, delay_ms: slot.retryAfterMs });
      return;
    }
    // Has no effect if the attempt had already ended by itself.
    await ctx.db.call('end_attempt', { job_id: jobId, result: 'stopped' });
  }
  await provider?.release(jobId);
}

async function deleteFiles(ctx: Pick<Context, 'media'>, { videoPath, thumbnailPath }: FoundJob): Promise<void> {
  if (videoPath) await ctx.media.remove(`videos/${videoPath}`);
  if (thumbnailPath) await ctx.media.remove(`thumbnails/${thumbnailPath}`);
}
