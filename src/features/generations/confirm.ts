import type { Context } from '../context.ts';
import { findJob, hasProvider } from './job.ts';

const STATUS_TIMEOUT_MS = 30_000;
/** A provider that cannot be reached is not hammered. */
const UNREACHABLE_RETRY_MS = 5_000;
/** Whatever wait it names. */
const RETRY_AFTER_MAX_MS = 60_000;

/**
 * An event names a job at the provider for a generation whose submit had no answer. Vendors sign the events of all their
 * customers alike, so the provider is asked with our key; only what it has under that id ends the uncertainty.
 */
export async function confirmAttempt(
  ctx: Context,
  { jobId, providerJobId }: { jobId: string; providerJobId: string },
  signal: AbortSignal,
): Promise<void> {
  const job = await findJob(ctx, jobId);
  if (!hasProvider(job) || job.providerJobId !== null) return;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(STATUS_TIMEOUT_MS)]);
  const status = await job.provider.status(job.request, providerJobId, limit);
  if (status.state === 'absent') {
    ctx.log.warn({ job_id: jobId, cause: status.cause }, 'an event names a job that is not ours');
    return;
  }
  if (status.state === 'unreachable') {
    const hasTime = job.deadlineAt > ctx.clock.now();
    const delayMs = Math.max(UNREACHABLE_RETRY_MS, Math.min(status.retryAfterMs ?? 0, RETRY_AFTER_MAX_MS));
    const again = { job_id: jobId, provider_job_id: providerJobId, delay_ms: delayMs };
    if (hasTime) await ctx.db.call('schedule_confirm', again);
    return;
  }
  const { outcome } = await ctx.db.call<{ outcome: string }>('confirm_attempt', {
    job_id: jobId,
    provider_job_id: providerJobId,
  });
  ctx.log.info({ job_id: jobId, outcome }, 'a submit without an answer was taken after all');
}
