import type { Context } from '../../context.ts';
import { findJob, hasProvider, type JobContext } from '../job.ts';
import { fetchStatus, POLL_AGAIN_MS, retryAfterMsOf } from './fetch-status.ts';
import { recordOutcome } from './health.ts';
import { withProviderSlot } from './provider-slot.ts';

/** Not every machine of a provider knows a new job at once. If it is absent this often, it is another customer's job. */
const TRIES_MAX = 3;

/** `tries` counts the answers of the provider, from 1. */
export type Confirmation = { jobId: string; providerJobId: string; tries: number };

/**
 * Confirms the provider job that an event names for a generation whose submit had no answer. Vendors sign the events of all
 * customers alike, so the provider is asked with our API key; only its answer resolves the attempt.
 */
export async function confirmAttempt(
  ctx: JobContext & Pick<Context, 'bulkhead' | 'log'>,
  { jobId, providerJobId, tries }: Confirmation,
  signal: AbortSignal,
): Promise<void> {
  const job = await findJob(ctx, jobId);
  if (!hasProvider(job) || job.providerJobId !== null) return;
  const schedule = async (delayMs: number, nextTry: number) => {
    const task = { job_id: jobId, provider_job_id: providerJobId, delay_ms: delayMs, try: nextTry };
    await ctx.db.call('schedule_confirmation', task);
  };
  const slot = await withProviderSlot(ctx, job.provider, () => fetchStatus(job, providerJobId, signal));
  if (!slot.hasRun) return schedule(slot.retryAfterMs, tries);
  const status = slot.result;
  const confirmAgain = async (delayMs: number, nextTry: number) => {
    if (job.deadlineAt > ctx.clock.now()) await schedule(delayMs, nextTry);
  };
  if (status.state === 'absent' || (status.state === 'failed' && status.isUnconfirmed)) {
    ctx.log.warn({ job_id: jobId, tries, cause: status.cause }, 'an event names a job that the provider does not find');
    return tries < TRIES_MAX ? confirmAgain(POLL_AGAIN_MS, tries + 1) : undefined;
  }
  if (status.state === 'unreachable') return confirmAgain(retryAfterMsOf(status), tries);
  const { outcome } = await ctx.db.call('confirm_attempt', { job_id: jobId, provider_job_id: providerJobId });
  ctx.log.info({ job_id: jobId, outcome }, 'a submit without an answer was accepted after all');
  if (outcome === 'submitted') await recordOutcome(ctx, job.provider.name, jobId, 'accepted');
}
