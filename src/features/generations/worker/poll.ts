import { sleep } from '../../../kernel/sleep.ts';
import type { ProviderStatus } from '../../../providers/provider.ts';
import type { Context } from '../../context.ts';
import { findJob, hasProvider, type JobContext, type ProviderJob } from '../job.ts';
import { cleanUpGeneration } from './clean-up.ts';
import { type DeliveryContext, deliverGeneration } from './deliver.ts';
import { failGeneration } from './fail.ts';
import { fetchAgain } from './fetch-again.ts';
import { fetchStatus, retryAfterMsOf } from './fetch-status.ts';
import { isOutage, recordOutcome } from './health.ts';
import { withProviderSlot } from './provider-slot.ts';

/** A provider that is polled more often than this is polled in a loop; for others each poll is a task of its own. */
const LOOP_INTERVAL_MAX_MS = 1_000;
/** After this many polls the loop continues in a new task, so that long polls do not starve other tasks. */
const POLLS_PER_TASK = 20;
/** A provider that this server does not have may be configured again with the next start. */
const NO_PROVIDER_RETRY_MS = 60_000;

type PollContext = JobContext & DeliveryContext & Pick<Context, 'bulkhead' | 'tracer'>;

/** Polls the provider until the generation has ended or the next poll has a task of its own. */
export async function pollGeneration(ctx: PollContext, jobId: string, signal: AbortSignal): Promise<void> {
  for (let polls = 1; ; polls += 1) {
    const job = await findJob(ctx, jobId);
    // It has ended, perhaps in a worker that died before it cleaned up.
    if (job?.status !== 'processing') return cleanUpGeneration(ctx, jobId, signal);

    if (!hasProvider(job)) return pollLater(ctx, jobId, NO_PROVIDER_RETRY_MS);
    const slot = await withProviderSlot(ctx, job.provider, () => pollOnce(ctx, job, signal));
    if (!slot.hasRun) return pollLater(ctx, jobId, slot.retryAfterMs);
    const next = slot.result;
    // The procedure that ended it has scheduled the clean-up.
    if (next === 'ended') return;
    // Another worker may have ended it meanwhile: the files of a completed job stay, those of any other go.
    if (next === 'delivered') return cleanUpGeneration(ctx, jobId, signal);
    const isLooped = next <= LOOP_INTERVAL_MAX_MS;
    if (!isLooped || polls >= POLLS_PER_TASK) return pollLater(ctx, jobId, isLooped ? 0 : next);
    await sleep(next, signal);
    signal.throwIfAborted();
  }
}

async function pollLater(ctx: Pick<Context, 'db'>, jobId: string, delayMs: number): Promise<void> {
  await ctx.db.call('schedule_poll', { job_id: jobId, delay_ms: Math.ceil(delayMs) });
}

/** How long to wait before the next poll, or why there is none. */
type Next = number | 'ended' | 'delivered';

/** One poll and, where the video is made, its delivery, which is as slow as the vendor's host. */
async function pollOnce(ctx: PollContext, job: ProviderJob, signal: AbortSignal): Promise<Next> {
  // A check on the table ensures that a processing job has the provider's id.
  const status = await fetchStatus(job, job.providerJobId ?? '', signal);
  return applyStatus(ctx, job, status, signal);
}

async function applyStatus(
  ctx: PollContext,
  job: ProviderJob,
  status: ProviderStatus,
  signal: AbortSignal,
): Promise<Next> {
  const { jobId } = job.request;
  const provider = job.provider.name;
  switch (status.state) {
    case 'queued':
    case 'processing': {
      const isRunning = await ctx.db.call('record_progress', {
        job_id: jobId,
        progress: status.state === 'processing' ? status.progress : null,
        queue_position: status.state === 'queued' ? status.queuePosition : null,
      });
      return isRunning ? job.provider.pollIntervalMs : 'ended';
    }
    case 'unreachable':
      ctx.log.warn({ job_id: jobId, provider, cause: status.cause }, 'provider unreachable');
      return retryAfterMsOf(status);
    case 'absent':
      // The provider has lost the job, or not all of its machines know it yet: the deadline decides if it was not completed.
      ctx.log.warn({ job_id: jobId, provider, cause: status.cause }, 'provider does not find the job');
      return fetchAgain(ctx, job, { cause: status.cause, isNotReady: true });
    case 'failed':
      await endAttempt(ctx, jobId, 'failed', status.cause, status.costUsd);
      await failGeneration(ctx, jobId, status.code, status.cause, status.reason);
      if (isOutage(status.code)) await recordOutcome(ctx, provider, jobId, 'failed');
      return 'ended';
    case 'not_ready':
      await endAttempt(ctx, jobId, 'completed', null, undefined);
      ctx.log.warn(
        { job_id: jobId, provider, cause: status.cause },
        'the result of a completed job cannot be read yet',
      );
      return fetchAgain(ctx, job, { cause: status.cause, isNotReady: true });
    case 'completed': {
      await endAttempt(ctx, jobId, 'completed', null, status.costUsd);
      await recordOutcome(ctx, provider, jobId, 'completed');
      const attributes = { 'rendio.provider': provider, 'rendio.job_id': jobId };
      const delivered = await ctx.tracer.span('deliver', { attributes }, () =>
        deliverGeneration(ctx, job, status, signal),
      );
      return delivered === 'ended' ? 'delivered' : fetchAgain(ctx, job, delivered);
    }
  }
}

/** Stores for support how the provider's work ended, and the cost that the provider reports. */
async function endAttempt(
  ctx: Pick<Context, 'db'>,
  jobId: string,
  result: 'completed' | 'failed',
  error: string | null,
  costUsd: number | undefined,
): Promise<void> {
  await ctx.db.call('end_attempt', { job_id: jobId, result, error, cost_usd: costUsd });
}
