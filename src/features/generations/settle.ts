import { setTimeout as wait } from 'node:timers/promises';
import type { ProviderStatus } from '../../providers/provider.ts';
import type { Context } from '../context.ts';
import { ASK_AGAIN_MS, askProvider, waitMsAfter } from './ask.ts';
import { converse } from './converse.ts';
import { deliverGeneration } from './deliver.ts';
import { failGeneration } from './fail.ts';
import { isOutage, noteHealth } from './health.ts';
import { findJob, hasProvider, type ProviderJob } from './job.ts';
import { stopGeneration } from './stop.ts';

/** A provider asked more often than this is watched without leaving the task; others get a task for each question. */
const WATCH_INTERVAL_MAX_MS = 1_000;
/** Then a task makes room: those who wait for its place would else wait for the end of somebody's film. */
const LOOKS_PER_TASK = 20;
/** A host that is away for long is asked so often at least: its file must not miss the deadline for our patience. */
const FETCH_AGAIN_MAX_MS = 60_000;
/** A provider that this server no longer has may be back with the next configuration. */
const ABSENT_RETRY_MS = 60_000;

/** Asks the provider how a generation stands, until it has ended or the next question has its own task. */
export async function settleGeneration(ctx: Context, jobId: string, signal: AbortSignal): Promise<void> {
  for (let looks = 1; ; looks += 1) {
    const job = await findJob(ctx, jobId);
    // Ended, perhaps under a worker that died before it had cleared up.
    if (job?.status !== 'processing') return stopGeneration(ctx, jobId, signal);

    if (!hasProvider(job)) return askLater(ctx, jobId, ABSENT_RETRY_MS);
    const visit = await converse(ctx, job.provider, () => askOnce(ctx, job, signal));
    if (visit.isFull) return askLater(ctx, jobId, visit.comeBackMs);
    const next = visit.result;
    // What ended it has left a task that clears up.
    if (next === 'ended') return;
    // Whoever ended it meanwhile: files stay where it is completed, and nowhere else.
    if (next === 'delivered') return stopGeneration(ctx, jobId, signal);
    const isWatched = next <= WATCH_INTERVAL_MAX_MS;
    if (!isWatched || looks >= LOOKS_PER_TASK) return askLater(ctx, jobId, isWatched ? 0 : next);
    await wait(next, undefined, { signal });
  }
}

async function askLater(ctx: Context, jobId: string, delayMs: number): Promise<void> {
  await ctx.db.call('schedule_settle', { job_id: jobId, delay_ms: delayMs });
}

/** How long to wait before the next question, or why there is none. */
type Next = number | 'ended' | 'delivered';

/** One conversation: the question and, where the video is made, its way here, which is as slow as its vendor's host. */
async function askOnce(ctx: Context, job: ProviderJob, signal: AbortSignal): Promise<Next> {
  // A job that is being processed has the provider's id: the table's own check.
  const status = await askProvider(job, job.providerJobId ?? '', signal);
  return applyStatus(ctx, job, status, signal);
}

async function applyStatus(ctx: Context, job: ProviderJob, status: ProviderStatus, signal: AbortSignal): Promise<Next> {
  const { jobId } = job.request;
  switch (status.state) {
    case 'queued':
    case 'processing': {
      const isRunning = await ctx.db.call<boolean>('record_progress', {
        job_id: jobId,
        progress: status.state === 'processing' ? status.progress : null,
        queue_position: status.state === 'queued' ? status.queuePosition : null,
      });
      return isRunning ? job.provider.pollIntervalMs : 'ended';
    }
    case 'unreachable':
      ctx.log.warn({ job_id: jobId, provider: job.provider.name, cause: status.cause }, 'the provider does not answer');
      return waitMsAfter(status);
    case 'absent':
      // It took the job and has lost it, or not all of its machines have heard of it yet: the deadline decides.
      ctx.log.warn(
        { job_id: jobId, provider: job.provider.name, cause: status.cause },
        'the provider knows no such job',
      );
      return ASK_AGAIN_MS;
    case 'failed':
      await endAttempt(ctx, jobId, 'failed', status.cause, status.costUsd);
      await failGeneration(ctx, jobId, status.code, status.cause, status.reason);
      if (isOutage(status.code)) await noteHealth(ctx, job.provider.name, jobId, 'failed');
      return 'ended';
    case 'completed':
      await endAttempt(ctx, jobId, 'completed', null, status.costUsd);
      await noteHealth(ctx, job.provider.name, jobId, 'completed');
      return (await deliverGeneration(ctx, job, status, signal)) === 'try_again'
        ? fetchAgainMs(ctx, jobId)
        : 'delivered';
  }
}

/** How long until a file that cannot be had is asked for again: half as long as it has been waited for. */
async function fetchAgainMs(ctx: Context, jobId: string): Promise<number> {
  const attempt = await ctx.db.read
    .selectFrom('provider_attempts')
    .select('ended_at')
    .where('job_id', '=', jobId)
    .where('result', '=', 'completed')
    .executeTakeFirst();
  const waitedMs = attempt?.ended_at ? ctx.clock.now().getTime() - attempt.ended_at.getTime() : 0;
  return Math.ceil(Math.min(Math.max(waitedMs / 2, ASK_AGAIN_MS), FETCH_AGAIN_MAX_MS));
}

/** What support reads later: how the provider's work ended, and what the provider says that it cost. */
async function endAttempt(
  ctx: Context,
  jobId: string,
  result: 'completed' | 'failed',
  error: string | null,
  costUsd: number | undefined,
): Promise<void> {
  await ctx.db.call('end_attempt', { job_id: jobId, result, error, cost_usd: costUsd ?? null });
}
