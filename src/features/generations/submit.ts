import { setTimeout as wait } from 'node:timers/promises';
import type { Context } from '../context.ts';
import { converse } from './converse.ts';
import { type AttemptFailure, failAttempt, failGeneration } from './fail.ts';
import { isOutage, noteHealth } from './health.ts';
import { type FoundJob, findJob, hasProvider, type ProviderJob } from './job.ts';

type Attempt = { attempt_id: string; attempt: number };
type AttemptOutcome =
  | ({ outcome: 'claimed' | 'resumed' } & Attempt)
  | { outcome: 'unknown' | 'rejected' | 'submitted' | 'final' | 'not_found' };

/** A provider that turns a request away so often has failed it: whoever paid has the credits back and may go elsewhere. */
const TRIES_MAX = 4;
/** Between two sends of a request that the provider turned away, unless it names a longer wait of its own. */
const RETRY_MIN_MS = 2_000;
const RETRY_MAX_MS = 30_000;
/** Of the wait, at most, on top of it: those who were turned away together do not come back together. */
const JITTER = 0.25;
/** Whatever wait it names, a provider is asked again so soon that most of a generation's time is left. */
const RETRY_AFTER_MAX_MS = 5 * 60_000;
/** A whole submit, connection included. */
const SUBMIT_TIMEOUT_MS = 30_000;
/** A database that restarts is back within it. */
const STORE_TRIES_MAX = 30;
const STORE_RETRY_MS = 1_000;

/**
 * Hands a paid generation to its provider, once. Where a worker died in the middle and the provider cannot be told the
 * same thing twice, the attempt's outcome is unknown and nothing is sent again.
 */
export async function submitGeneration(ctx: Context, jobId: string, signal: AbortSignal): Promise<void> {
  // Read before the attempt is claimed: a database or store that fails here leaves nothing whose outcome is unknown.
  const job = await findJob(ctx, jobId);
  // Nobody waits for a place in which to see that there is nothing left to send.
  if (job?.status !== 'pending') return;
  // The attempt is begun inside: whoever finds no place has claimed nothing.
  const visit = await converse(ctx, job.provider, () => tryToSubmit(ctx, job, signal));
  const delayMs = visit.isFull ? visit.comeBackMs : visit.result;
  // A task of its own: nobody sleeps in a place that others wait for.
  if (delayMs !== null) await ctx.db.call('schedule_submit', { job_id: jobId, delay_ms: Math.ceil(delayMs) });
}

/** Null when there is nothing left to send; else how long to wait before the next send. */
async function tryToSubmit(ctx: Context, job: FoundJob, signal: AbortSignal): Promise<number | null> {
  const { jobId } = job.request;
  const attempt = await ctx.db.call<AttemptOutcome>('begin_attempt', { job_id: jobId });
  // Where the two were not yet one step, and a worker died between them.
  if (attempt.outcome === 'rejected') await failGeneration(ctx, jobId, 'ERR_5003', 'rejected earlier');
  if (attempt.outcome !== 'claimed' && attempt.outcome !== 'resumed') return null;

  if (attempt.outcome === 'resumed' && !job.provider?.submitIsRepeatable) {
    await close(ctx, attempt.attempt_id, 'unknown', 'the worker died while it was submitting');
    return null;
  }
  if (!hasProvider(job)) {
    await failAttempt(ctx, jobId, attempt.attempt_id, {
      state: 'rejected',
      code: 'ERR_5002',
      cause: 'no such provider here',
    });
    return null;
  }
  const retryAfterMs = await sendOnce(ctx, job, attempt, signal);
  if (retryAfterMs === null) return null;
  const backoffMs = Math.min(RETRY_MIN_MS * 2 ** (attempt.attempt - 1), RETRY_MAX_MS);
  const jitterMs = ((ctx.randomBytes(1)[0] ?? 0) / 256) * JITTER * backoffMs;
  return Math.min(Math.max(retryAfterMs, backoffMs + jitterMs), RETRY_AFTER_MAX_MS);
}

/** Null when there is nothing left to send; else the provider's own wish how long to wait, or 0. */
async function sendOnce(
  ctx: Context,
  { provider, request }: ProviderJob,
  { attempt_id: attemptId, attempt: tries }: Attempt,
  signal: AbortSignal,
): Promise<number | null> {
  const { jobId } = request;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(SUBMIT_TIMEOUT_MS)]);
  const answer = await provider.submit(request, limit);
  const closeAs = (state: 'refused' | 'unknown', cause: string) =>
    stored(signal, () => close(ctx, attemptId, state, cause));
  const failAs = (failure: AttemptFailure) => stored(signal, () => failAttempt(ctx, jobId, attemptId, failure));
  switch (answer.outcome) {
    case 'accepted': {
      const marked = await stored(signal, () =>
        ctx.db.call<{ outcome: string }>('mark_submitted', {
          job_id: jobId,
          attempt_id: attemptId,
          provider_job_id: answer.providerJobId,
          vendor_request_id: answer.requestId ?? null,
        }),
      );
      if (marked.outcome === 'taken') await closeAs('unknown', 'it named the job of another generation');
      if (marked.outcome === 'superseded') {
        // It had taken an earlier send after all, though it said no.
        ctx.log.error(
          { job_id: jobId, provider: provider.name },
          'the provider has the generation twice; one is stopped',
        );
        await provider.cancel(request, answer.providerJobId, limit);
      }
      await noteHealth(ctx, provider.name, jobId, 'accepted');
      return null;
    }
    case 'refused': {
      const isLast = tries >= TRIES_MAX;
      const closed = isLast
        ? await failAs({ state: 'refused', code: 'ERR_5002', cause: answer.cause })
        : await closeAs('refused', answer.cause);
      // Unless an event has brought the news that an earlier send was taken after all.
      if (!closed) return null;
      if (!answer.isBusy && !signal.aborted) await noteHealth(ctx, provider.name, jobId, 'refused');
      return isLast ? null : (answer.retryAfterMs ?? 0);
    }
    case 'rejected':
      if (!(await failAs({ state: 'rejected', ...answer }))) return null;
      if (isOutage(answer.code)) await noteHealth(ctx, provider.name, jobId, 'refused');
      return null;
    case 'unknown':
      // The same attempt goes on where the provider knows our job by its id.
      if (provider.submitIsRepeatable) return 0;
      await closeAs('unknown', answer.cause);
      // Broken off by our own shutdown: that says nothing of the provider.
      if (!signal.aborted) await noteHealth(ctx, provider.name, jobId, 'unanswered');
      return null;
  }
}

/** Writes down what the provider said, through a restart of the database too: it is known nowhere else. */
async function stored<T>(signal: AbortSignal, write: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await write();
    } catch (error) {
      if (tries === STORE_TRIES_MAX) throw error;
      await wait(STORE_RETRY_MS, undefined, { signal });
    }
  }
}

/** False where the attempt had been closed, or accepted, before. */
function close(ctx: Context, attemptId: string, state: 'refused' | 'unknown', error: string): Promise<boolean> {
  return ctx.db.call<boolean>('close_attempt', { attempt_id: attemptId, state, error });
}
