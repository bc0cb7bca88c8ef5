import type { Context } from '../context.ts';
import { ASK_AGAIN_MS, askProvider, waitMsAfter } from './ask.ts';
import { converse } from './converse.ts';
import { noteHealth } from './health.ts';
import { findJob, hasProvider } from './job.ts';

/** Not every machine of a provider's knows of a job at once; after so many looks it is somebody else's. */
const LOOKS_MAX = 3;

/**
 * An event names a job at the provider for a generation whose submit had no answer. Vendors sign the events of all their
 * customers alike, so the provider is asked with our key; only what it has under that id ends the uncertainty.
 */
export async function confirmAttempt(
  ctx: Context,
  { jobId, providerJobId, look }: { jobId: string; providerJobId: string; look: number },
  signal: AbortSignal,
): Promise<void> {
  const job = await findJob(ctx, jobId);
  if (!hasProvider(job) || job.providerJobId !== null) return;
  const schedule = async (delayMs: number, nextLook: number) => {
    const again = { job_id: jobId, provider_job_id: providerJobId, delay_ms: delayMs, look: nextLook };
    await ctx.db.call('schedule_confirm', again);
  };
  const visit = await converse(ctx, job.provider, () => askProvider(job, providerJobId, signal));
  if (visit.isFull) return schedule(visit.comeBackMs, look);
  const status = visit.result;
  const lookAgain = async (delayMs: number, nextLook: number) => {
    if (job.deadlineAt > ctx.clock.now()) await schedule(delayMs, nextLook);
  };
  if (status.state === 'absent') {
    ctx.log.warn({ job_id: jobId, look, cause: status.cause }, 'an event names a job that our key does not know');
    return look < LOOKS_MAX ? lookAgain(ASK_AGAIN_MS, look + 1) : undefined;
  }
  if (status.state === 'unreachable') {
    return lookAgain(waitMsAfter(status), look);
  }
  const { outcome } = await ctx.db.call<{ outcome: string }>('confirm_attempt', {
    job_id: jobId,
    provider_job_id: providerJobId,
  });
  ctx.log.info({ job_id: jobId, outcome }, 'a submit without an answer was taken after all');
  if (outcome === 'submitted') await noteHealth(ctx, job.provider.name, jobId, 'accepted');
}
