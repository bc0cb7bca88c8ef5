import { setTimeout as wait } from 'node:timers/promises';
import type { Context } from '../context.ts';
import { failGeneration } from './fail.ts';
import { findJob, hasProvider, type ProviderJob } from './job.ts';

type AttemptOutcome =
  | { outcome: 'claimed' | 'resumed'; attempt_id: string }
  | { outcome: 'unknown' | 'rejected' | 'submitted' | 'final' | 'not_found' };

/** Between two sends of a request that the provider turned away, unless it names its own wait. */
const RETRY_MIN_MS = 2_000;
const RETRY_MAX_MS = 30_000;
/** A whole submit, connection included. */
const SUBMIT_TIMEOUT_MS = 30_000;

/**
 * Hands a paid generation to its provider, once. Where a worker died in the middle and the provider cannot be told the
 * same thing twice, the attempt's outcome is unknown and nothing is sent again.
 */
export async function submitGeneration(ctx: Context, jobId: string, signal: AbortSignal): Promise<void> {
  for (let turn = 0; ; turn += 1) {
    const attempt = await ctx.db.call<AttemptOutcome>('begin_attempt', { job_id: jobId });
    if (attempt.outcome === 'rejected') await failGeneration(ctx, jobId, 'ERR_5003', 'rejected earlier');
    if (attempt.outcome !== 'claimed' && attempt.outcome !== 'resumed') return;

    const job = await findJob(ctx, jobId);
    if (!hasProvider(job)) {
      await close(ctx, attempt.attempt_id, 'rejected', 'no such provider here');
      await failGeneration(ctx, jobId, 'ERR_5002', 'no such provider here');
      return;
    }
    if (attempt.outcome === 'resumed' && !job.provider.submitIsRepeatable) {
      await close(ctx, attempt.attempt_id, 'unknown', 'the worker died while it was submitting');
      return;
    }

    const retryAfterMs = await sendOnce(ctx, job, attempt.attempt_id, signal);
    if (retryAfterMs === null) return;
    const backoffMs = Math.min(RETRY_MIN_MS * 2 ** turn, RETRY_MAX_MS);
    await wait(Math.max(retryAfterMs, backoffMs), undefined, { signal });
  }
}

/** Null when there is nothing left to send; else the provider's own wish how long to wait, or 0. */
async function sendOnce(
  ctx: Context,
  job: ProviderJob,
  attemptId: string,
  signal: AbortSignal,
): Promise<number | null> {
  const { provider, request } = job;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(SUBMIT_TIMEOUT_MS)]);
  const answer = await provider.submit(request, limit);
  switch (answer.outcome) {
    case 'accepted': {
      const marked = await ctx.db.call<{ outcome: string }>('mark_submitted', {
        job_id: request.jobId,
        attempt_id: attemptId,
        provider_job_id: answer.providerJobId,
        vendor_request_id: answer.requestId ?? null,
      });
      // Cancelled or past its deadline while the submit was under way: nobody waits for this video any more.
      if (marked.outcome === 'final') await provider.cancel(request, answer.providerJobId, limit);
      return null;
    }
    case 'refused':
      await close(ctx, attemptId, 'refused', answer.cause);
      return answer.retryAfterMs ?? 0;
    case 'rejected':
      await close(ctx, attemptId, 'rejected', answer.cause);
      await failGeneration(ctx, request.jobId, answer.code, answer.cause);
      return null;
    case 'unknown':
      await close(ctx, attemptId, 'unknown', answer.cause);
      return null;
  }
}

async function close(ctx: Context, attemptId: string, state: string, error: string): Promise<void> {
  await ctx.db.call('close_attempt', { attempt_id: attemptId, state, error });
}
