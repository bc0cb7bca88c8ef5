/** Waits for a video: by the events, and by asking where they do not come. */

import type { Feed } from '../events/feed.ts';
import { GenerationError, isPassing, RendioError } from '../http/errors.ts';
import { backoffMs, pause } from '../http/timers.ts';
import { type Api, withQuery } from '../session/api.ts';
import type { Job, JobEvent } from '../types.ts';

export type FollowOptions = {
  /** Hears how the job stands, at first and whenever that changes. */
  onProgress?: (job: Job) => void;
  /** Stops waiting; the job goes on. */
  signal?: AbortSignal;
  /** How long to go on without any answer, in milliseconds; then the last error is thrown. */
  patienceMs?: number;
};

const ASK_MS = 1_000;
/** While events come, asking is for the one that went missing. */
const ASK_LIVE_MS = 10_000;
const BACKOFF = { baseMs: 500, maxMs: 5_000 };

/** Resolves with the completed job; throws GenerationError when it failed. */
export async function follow(
  { api, feed }: { api: Api; feed: Feed },
  jobId: string,
  { onProgress, signal, patienceMs }: FollowOptions & { patienceMs: number },
): Promise<Job> {
  const inbox = openInbox(feed, jobId);
  try {
    let told = '';
    const tell = (job: Job) => {
      const seen = JSON.stringify([job.status, job.progress, job.queue_position]);
      if (seen !== told) onProgress?.(job);
      told = seen;
    };
    for (;;) {
      let job = await askPatiently(api, jobId, patienceMs, signal);
      if (job.status === 'completed') return job;
      if (job.status === 'failed') throw new GenerationError(job);
      tell(job);
      for (;;) {
        const event = await inbox.next(feed.state() === 'live' ? ASK_LIVE_MS : ASK_MS, signal);
        if (event?.type !== 'processing') break;
        const { progress, queue_position } = event;
        // One that was on its way while we asked is older than the answer.
        if ((progress ?? 0) < (job.progress ?? 0)) continue;
        job = { ...job, status: 'processing', progress, queue_position };
        tell(job);
      }
    }
  } finally {
    inbox.close();
  }
}

async function askPatiently(api: Api, jobId: string, patienceMs: number, signal?: AbortSignal): Promise<Job> {
  const endsAt = Date.now() + patienceMs;
  for (let tries = 1; ; tries += 1) {
    try {
      return await api.ask<Job>(withQuery('get-video-status', { job_id: jobId }), { signal });
    } catch (error) {
      if (signal?.aborted || !isPassing(error)) throw error;
      const wantedMs = error instanceof RendioError ? (error.retryAfterMs ?? 0) : 0;
      const waitMs = Math.max(wantedMs, backoffMs(tries, BACKOFF));
      if (Date.now() + waitMs > endsAt) throw error;
      await pause(waitMs, signal);
      signal?.throwIfAborted();
    }
  }
}

type Inbox = {
  /** The latest news of the job, or null when none came within `ms`. */
  next(ms: number, signal?: AbortSignal): Promise<JobEvent | null>;
  close(): void;
};

function openInbox(feed: Feed, jobId: string): Inbox {
  let latest: JobEvent | null = null;
  let arrival = new AbortController();
  const close = feed.join({
    onEvent: (event) => {
      if (event.type === 'credits' || event.job_id !== jobId) return;
      latest = event;
      arrival.abort();
    },
  });
  return {
    async next(ms, signal) {
      if (!latest) await pause(ms, arrival.signal, signal);
      signal?.throwIfAborted();
      const event = latest;
      latest = null;
      arrival = new AbortController();
      return event;
    },
    close,
  };
}
