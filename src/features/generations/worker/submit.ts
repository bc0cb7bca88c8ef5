import type { ResultOf } from '../../../db/database.ts';
import { backoffMs } from '../../../kernel/retry.ts';
import { sleep } from '../../../kernel/sleep.ts';
import type { SubmitOutcome } from '../../../providers/provider.ts';
import type { Context } from '../../context.ts';
import { type FoundJob, findJob, hasProvider, type JobContext, type ProviderJob } from '../job.ts';
import { type AttemptFailure, failAttempt, failGeneration } from './fail.ts';
import { isOutage, recordOutcome } from './health.ts';
import { withProviderSlot } from './provider-slot.ts';

type Attempt = Pick<Extract<ResultOf<'begin_attempt'>, { attempt: number }>, 'attempt_id' | 'attempt'>;

/** After this many sends without success the job fails: the user is refunded and may choose another model. */
const TRIES_MAX = 4;
/** The wait between two sends, unless the provider asks for a longer one. */
const BACKOFF = { baseMs: 2_000, maxMs: 30_000 };
/** The longest wait that a provider can ask for, so that most of the job's time is left for the next try. */
const RETRY_AFTER_MAX_MS = 5 * 60_000;
/** One submit request, connection included. */
const SUBMIT_TIMEOUT_MS = 30_000;
/** A database that restarts is back within this many tries. */
const STORE_TRIES_MAX = 30;
const STORE_RETRY_MS = 1_000;

type SubmitContext = JobContext & Pick<Context, 'bulkhead' | 'log' | 'metrics' | 'randomBytes'>;

/**
 * Sends a paid generation to its provider, once. If a worker died during a submit and the provider does not recognise a
 * repeat, the attempt's outcome is unknown and nothing is sent again.
 */
export async function submitGeneration(ctx: SubmitContext, jobId: string, signal: AbortSignal): Promise<void> {
  // Read before the attempt is claimed: a database or a store that fails here leaves no attempt with an unknown outcome.
  const job = await findJob(ctx, jobId);
  // Check the status before taking a slot.
  if (job?.status !== 'pending') return;
  // The attempt is begun inside the slot: without a slot nothing is claimed.
  const slot = await withProviderSlot(ctx, job.provider, () => tryToSubmit(ctx, job, signal));
  const delayMs = slot.hasRun ? slot.result : slot.retryAfterMs;
  // Another task, so that no slot is held during the wait.
  if (delayMs !== null) await ctx.db.call('schedule_submit', { job_id: jobId, delay_ms: Math.ceil(delayMs) });
}

/** Null when nothing is left to send; else how long to wait before the next send. */
async function tryToSubmit(
  ctx: Pick<Context, 'db' | 'log' | 'metrics' | 'randomBytes'>,
  job: FoundJob,
  signal: AbortSignal,
): Promise<number | null> {
  const { jobId } = job.request;
  const attempt = await ctx.db.call('begin_attempt', { job_id: jobId });
  // Left by an older server, which closed the attempt and died before it failed the job in a second transaction.
  if (attempt.outcome === 'declined') await failGeneration(ctx, jobId, 'ERR_5003', 'declined earlier');
  if (attempt.outcome !== 'claimed' && attempt.outcome !== 'resumed') return null;

  if (attempt.outcome === 'resumed' && !job.provider?.submitIsRepeatable) {
    await closeAttempt(ctx, attempt.attempt_id, 'unknown', 'the worker died during the submit');
    return null;
  }
  if (!hasProvider(job)) {
    const failure = { state: 'declined', code: 'ERR_5002', cause: 'this server has no such provider' } as const;
    await failAttempt(ctx, jobId, attempt.attempt_id, failure);
    return null;
  }
  const retryAfterMs = await sendOnce(ctx, job, attempt, signal);
  if (retryAfterMs === null) return null;
  const waitMs = backoffMs(attempt.attempt, BACKOFF, () => (ctx.randomBytes(1)[0] ?? 0) / 256);
  return Math.min(Math.max(retryAfterMs, waitMs), RETRY_AFTER_MAX_MS);
}

/** Null when nothing is left to send; else the wait that the provider asks for, or 0. */
async function sendOnce(
  ctx: Pick<Context, 'db' | 'log' | 'metrics'>,
  job: ProviderJob,
  { attempt_id: attemptId, attempt: tries }: Attempt,
  signal: AbortSignal,
): Promise<number | null> {
  const { provider, request } = job;
  const { jobId } = request;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(SUBMIT_TIMEOUT_MS)]);
  const answer = await provider.submit(request, limit);
  const closeAs = (state: 'retryable' | 'unknown', cause: string) =>
    storeWithRetry(signal, () => closeAttempt(ctx, attemptId, state, cause));
  const failAs = (failure: AttemptFailure) => storeWithRetry(signal, () => failAttempt(ctx, jobId, attemptId, failure));
  switch (answer.outcome) {
    case 'accepted':
      await storeAccepted(ctx, job, attemptId, answer, signal);
      await recordOutcome(ctx, provider.name, jobId, 'accepted');
      return null;
    case 'retryable': {
      const isLast = tries >= TRIES_MAX;
      const isClosed = isLast
        ? await failAs({ state: 'retryable', code: 'ERR_5002', cause: answer.cause })
        : await closeAs('retryable', answer.cause);
      // False if an event has shown meanwhile that an earlier send was accepted.
      if (!isClosed) return null;
      if (!answer.isBusy && !signal.aborted) await recordOutcome(ctx, provider.name, jobId, 'turned_away');
      return isLast ? null : (answer.retryAfterMs ?? 0);
    }
    case 'declined':
      if (!(await failAs({ state: 'declined', ...answer }))) return null;
      if (isOutage(answer.code)) await recordOutcome(ctx, provider.name, jobId, 'turned_away');
      return null;
    case 'unknown':
      // A provider that recognises our job id is asked again under the same attempt.
      if (provider.submitIsRepeatable) return 0;
      await closeAs('unknown', answer.cause);
      // A submit that our own shutdown broke off says nothing about the provider.
      if (!signal.aborted) await recordOutcome(ctx, provider.name, jobId, 'unanswered');
      return null;
  }
}

async function storeAccepted(
  ctx: Pick<Context, 'db' | 'log'>,
  { provider, request }: ProviderJob,
  attemptId: string,
  answer: Extract<SubmitOutcome, { outcome: 'accepted' }>,
  signal: AbortSignal,
): Promise<void> {
  const { jobId } = request;
  const { providerJobId, requestId } = answer;
  const ids = { attempt_id: attemptId, provider_job_id: providerJobId, vendor_request_id: requestId };
  const { outcome } = await storeWithRetry(signal, () => ctx.db.call('mark_submitted', { job_id: jobId, ...ids }));
  if (outcome === 'taken') {
    await storeWithRetry(signal, () =>
      closeAttempt(ctx, attemptId, 'unknown', 'the provider named the job of another generation'),
    );
  }
  if (outcome === 'superseded') {
    // The provider had accepted an earlier send, though it answered that it had not.
    ctx.log.error({ job_id: jobId, provider: provider.name }, 'provider has the generation twice; one is cancelled');
    await provider.cancel(request, providerJobId, AbortSignal.any([signal, AbortSignal.timeout(SUBMIT_TIMEOUT_MS)]));
  }
}

/** Stores the provider's answer, with retries through a restart of the database: the answer exists nowhere else. */
async function storeWithRetry<T>(signal: AbortSignal, write: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await write();
    } catch (error) {
      if (tries === STORE_TRIES_MAX) throw error;
      await sleep(STORE_RETRY_MS, signal);
      signal.throwIfAborted();
    }
  }
}

/** False: the attempt had been closed or accepted before. */
function closeAttempt(
  ctx: Pick<Context, 'db'>,
  attemptId: string,
  state: 'retryable' | 'unknown',
  error: string,
): Promise<boolean> {
  return ctx.db.call('close_attempt', { attempt_id: attemptId, state, error });
}
