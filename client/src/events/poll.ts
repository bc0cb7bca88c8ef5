/** How an account's videos and credits stand, asked for instead of listened to, in the shapes of the stream. */

import { RendioError } from '../http/errors.ts';
import { type Api, withQuery } from '../session/api.ts';
import type { Job, JobEvent, JobPage, TransactionPage } from '../types.ts';
import type { Told } from './delivered-events.ts';

/** More than an account may have running at once. */
const PAGE = 20;

/** What may be news, oldest first. What ended before `sinceMs()` (by the server's clock) and was never told of is none. */
export async function look(
  { api, told, sinceMs }: { api: Api; told: Told; sinceMs: () => number },
  signal: AbortSignal,
): Promise<JobEvent[]> {
  const [page, history] = await Promise.all([
    api.ask<JobPage>(withQuery('get-video-jobs', { limit: PAGE }), { signal }),
    api.ask<TransactionPage>(withQuery('get-credit-history', { limit: PAGE }), { signal }),
  ]);
  // Only now: the first answers have told the server's time.
  const since = new Date(sinceMs()).toISOString();
  const wasRunning = told.running().map(({ job_id }) => job_id);
  const interesting = page.jobs.filter(
    ({ job_id, status, created_at }) =>
      status === 'pending' || status === 'processing' || (!told.knows(job_id) && created_at >= since),
  );
  const ids = new Set([...wasRunning, ...interesting.map(({ job_id }) => job_id)]);
  const jobs = await Promise.all([...ids].map((id) => jobOrGone(api, told, id, signal)));
  const credits = history.transactions.filter(({ created_at }) => created_at >= since);
  return [
    ...jobs.flatMap((job) => (job ? [eventOf(job)] : [])),
    ...credits.map(({ id, change, reason, balance_after, created_at }) => ({
      type: 'credits' as const,
      id: null,
      credits_remaining: balance_after,
      change,
      reason,
      transaction_id: id,
      created_at,
    })),
  ].sort((a, b) => (a.created_at < b.created_at ? -1 : Number(a.created_at > b.created_at)));
}

/** Null for one that was removed meanwhile. */
async function jobOrGone(api: Api, told: Told, jobId: string, signal: AbortSignal): Promise<Job | null> {
  try {
    return await api.ask<Job>(withQuery('get-video-status', { job_id: jobId }), { signal });
  } catch (error) {
    if (!(error instanceof RendioError) || error.status !== 404) throw error;
    told.forget(jobId);
    return null;
  }
}

function eventOf(job: Job): JobEvent {
  const { job_id, created_at, completed_at, progress, queue_position } = job;
  const ended = completed_at ?? created_at;
  switch (job.status) {
    case 'pending':
      return { type: 'queued', id: null, job_id, status: 'pending', created_at };
    case 'processing':
      return { type: 'processing', id: null, job_id, status: 'processing', progress, queue_position, created_at };
    case 'completed':
      return { type: 'completed', id: null, job_id, status: 'completed', created_at: ended };
    case 'failed':
      return {
        type: 'failed',
        id: null,
        job_id,
        status: 'failed',
        error_code: job.error_code ?? '',
        error_message: job.error_message ?? '',
        refunded: job.credits_used,
        created_at: ended,
      };
  }
}
