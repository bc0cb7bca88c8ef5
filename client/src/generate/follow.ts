/** Waits for a video, by the event stream and by polling. */

import type { Feed } from '../events/feed.ts';
import { throwIfAborted } from '../http/abort.ts';
import { GenerationError, isRetryable, RendioError } from '../http/errors.ts';
import { backoffMs, delay } from '../http/timers.ts';
import { type Api, withQuery } from '../session/api.ts';
import type { Job, JobEvent } from '../types.ts';

export type FollowOptions = {
  /** Called with the job's state, at first and whenever it changes. */
  onProgress?: (job: Job) => void;
  /** Stops waiting; the job goes on. */
  signal?: AbortSignal;
  /** How long to retry without any answer, in milliseconds; then the last error is thrown. */
  patienceMs?: number;
};

const POLL_INTERVAL_MS = 1_000;
/** While the stream is open, polling only finds an event that was lost. */
const POLL_INTERVAL_LIVE_MS = 10_000;
const BACKOFF = { baseMs: 500, maxMs: 5_000 };

/** Resolves with the completed job; throws GenerationError when it failed. */
export async function follow(
  { api, feed }: { api: Api; feed: Feed },
  jobId: string,
  { onProgress, signal, patienceMs }: FollowOptions & { patienceMs: number },
): Promise<Job> {
  const jobEvents = openJobEvents(feed, jobId);
  try {
    let reported = '';
    const report = (job: Job) => {
      const current = JSON.stringify([job.status, job.progress, job.queue_position]);
      if (current !== reported) onProgress?.(job);
      reported = current;
    };
    for (;;) {
      let job = await readJob(api, jobId, patienceMs, signal);
      if (job.status === 'completed') return job;
      if (job.status === 'failed') throw new GenerationError(job);
      report(job);
      for (;;) {
        const event = await jobEvents.next(feed.state() === 'live' ? POLL_INTERVAL_LIVE_MS : POLL_INTERVAL_MS, signal);
        if (event?.type !== 'processing') break;
        const { progress, queue_position } = event;
        // An event that was sent before the job was read is older than the answer.
        if ((progress ?? 0) < (job.progress ?? 0)) continue;
        job = { ...job, status: 'processing', progress, queue_position };
        report(job);
      }
    }
  } finally {
    jobEvents.close();
  }
}

async function readJob(api: Api, jobId: string, patienceMs: number, signal?: AbortSignal): Promise<Job> {
  const endsAt = Date.now() + patienceMs;
  for (let tries = 1; ; tries += 1) {
    try {
      return await api.request<Job>(withQuery('get-video-status', { job_id: jobId }), { signal });
    } catch (error) {
      if (signal?.aborted || !isRetryable(error)) throw error;
      const retryAfterMs = error instanceof RendioError ? (error.retryAfterMs ?? 0) : 0;
      const waitMs = Math.max(retryAfterMs, backoffMs(tries, BACKOFF));
      if (Date.now() + waitMs > endsAt) throw error;
      await delay(waitMs, signal);
      throwIfAborted(signal);
    }
  }
}

type JobEvents = {
  /** The latest event of the job, or null when none came within `ms`. */
  next(ms: number, signal?: AbortSignal): Promise<JobEvent | null>;
  close(): void;
};

function openJobEvents(feed: Feed, jobId: string): JobEvents {
  let latest: JobEvent | null = null;
  let arrival = new AbortController();
  const close = feed.subscribe({
    onEvent: (event) => {
      if (event.type === 'credits' || event.job_id !== jobId) return;
      latest = event;
      arrival.abort();
    },
  });
  return {
    async next(ms, signal) {
      if (!latest) await delay(ms, arrival.signal, signal);
      throwIfAborted(signal);
      const event = latest;
      latest = null;
      arrival = new AbortController();
      return event;
    },
    close,
  };
}
