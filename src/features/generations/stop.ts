import type { Context } from '../context.ts';
import { removeMedia } from './deliver.ts';
import { findJob } from './job.ts';

/** A provider gets this long to hear that a generation is no longer wanted. */
const CANCEL_TIMEOUT_MS = 30_000;

/** After a generation failed or was deleted: the provider stops working on it and no file of it stays. */
export async function stopGeneration(ctx: Context, jobId: string, signal: AbortSignal): Promise<void> {
  const job = await findJob(ctx, jobId);
  if (!job || (job.status !== 'failed' && !job.isDeleted)) return;
  if (job.provider) {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(CANCEL_TIMEOUT_MS)]);
    if (job.providerJobId && job.status === 'failed') {
      await job.provider.cancel(job.request, job.providerJobId, limit);
    }
    await job.provider.release(jobId);
  }
  await removeMedia(ctx, job);
}
