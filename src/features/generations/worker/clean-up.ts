import type { Context } from '../../context.ts';
import { type FoundJob, findJob, type JobContext } from './job.ts';
import { withProviderSlot } from './provider-slot.ts';

const CANCEL_TIMEOUT_MS = 30_000;

/**
 * Removes what an ended generation left. Of a failed or deleted one the stored files go; of a failed one the provider is told
 * to stop; of every one the provider's own copy goes. Does nothing while the generation runs.
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
    // Has no effect where the attempt had ended by itself before.
    await ctx.db.call('end_attempt', { job_id: jobId, result: 'stopped' });
  }
  await provider?.release(jobId);
}

async function deleteFiles(ctx: Pick<Context, 'media'>, { videoPath, thumbnailPath }: FoundJob): Promise<void> {
  if (videoPath) await ctx.media.remove(`videos/${videoPath}`);
  if (thumbnailPath) await ctx.media.remove(`thumbnails/${thumbnailPath}`);
}
