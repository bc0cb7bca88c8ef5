/** Reads the state of an account's videos and credits, and returns it as events like the stream's. */

import { RendioError } from '../http/errors.ts';
import { type Api, withQuery } from '../session/api.ts';
import type { Job, JobEvent, JobPage, TransactionPage } from '../types.ts';
import type { DeliveredEvents } from './delivered-events.ts';

/** More than an account can have running at once. */
const PAGE_SIZE = 20;

/**
 * Events that may be new, oldest first. Leaves out what ended before `sinceMs()` (by the server's clock) and was never
 * delivered.
 */
export async function poll(
  { api, delivered, sinceMs }: { api: Api; delivered: DeliveredEvents; sinceMs: () => number },
  signal: AbortSignal,
): Promise<JobEvent[]> {
  const [page, history] = await Promise.all([
    api.request<JobPage>(withQuery('get-video-jobs', { limit: PAGE_SIZE }), { signal }),
    api.request<TransactionPage>(withQuery('get-credit-history', { limit: PAGE_SIZE }), { signal }),
  ]);
  // Only now: the first answers set the server's time.
  const since = new Date(sinceMs()).toISOString();
  const wasRunning = delivered.ofRunningJobs().map(({ job_id }) => job_id);
  const relevant = page.jobs.filter(
    ({ job_id, status, created_at }) =>
      status === 'pending' || status === 'processing' || (!delivered.hasJob(job_id) && created_at >= since),
  );
  const ids = new Set([...wasRunning, ...relevant.map(({ job_id }) => job_id)]);
  const jobs = await Promise.all([...ids].map((id) => readJob(api, delivered, id, signal)));
  const credits = history.transactions.filter(({ created_at }) => created_at >= since);
  return [
    ...jobs.flatMap((job) => (job ? [jobEvent(job)] : [])),
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

/** Null when the job was deleted meanwhile. */
async function readJob(api: Api, delivered: DeliveredEvents, jobId: string, signal: AbortSignal): Promise<Job | null> {
  try {
    return await api.request<Job>(withQuery('get-video-status', { job_id: jobId }), { signal });
  } catch (error) {
    if (!(error instanceof RendioError) || error.status !== 404) throw error;
    delivered.forgetJob(jobId);
    return null;
  }
}

function jobEvent(job: Job): JobEvent {
  const { job_id, created_at, completed_at, progress, queue_position, video_url, thumbnail_url } = job;
  const endedAt = completed_at ?? created_at;
  switch (job.status) {
    case 'pending':
      return { type: 'queued', id: null, job_id, status: 'pending', created_at };
    case 'processing':
      return { type: 'processing', id: null, job_id, status: 'processing', progress, queue_position, created_at };
    case 'completed':
      return {
        type: 'completed',
        id: null,
        job_id,
        status: 'completed',
        video_url,
        thumbnail_url,
        created_at: endedAt,
      };
    case 'failed':
      return {
        type: 'failed',
        id: null,
        job_id,
        status: 'failed',
        error_code: job.error_code ?? '',
        error_message: job.error_message ?? '',
        refunded: job.credits_used,
        created_at: endedAt,
      };
  }
}
