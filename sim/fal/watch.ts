import type { Log } from '../../src/kernel/log.ts';
import { rest } from '../faults.ts';
import { type Queue, stateOf } from './queue.ts';
import type { Job, JobStore } from './store.ts';
import type { Webhooks } from './webhooks.ts';

/** Another process may move a job, and a test its clock. */
const LOOK_AGAIN_MS = { min: 50, max: 1_000 };

/** Waits for jobs to end, and then has their webhooks sent. */
export function createWatch(options: {
  store: JobStore;
  queue: Queue;
  webhooks: Webhooks;
  log: Log;
  closing: AbortSignal;
}) {
  const { store, queue, webhooks, log, closing } = options;
  const watched = new Map<string, { told: Promise<void>; look: () => void }>();

  /** Resolves as soon as the job has ended; undefined where nobody is to be told. */
  async function ended(requestId: string, woken: () => AbortSignal): Promise<Job | undefined> {
    for (;;) {
      const signal = woken();
      const job = await store.read(requestId);
      if (!job || job.isTold || job.isCancelled || closing.aborted) return undefined;
      const nowMs = queue.nowMs();
      if (stateOf(job, nowMs) === 'COMPLETED') return job;
      const leftMs = (job.endsAtMs ?? Number.POSITIVE_INFINITY) - nowMs;
      const waitMs = Math.max(LOOK_AGAIN_MS.min, Math.min(leftMs, LOOK_AGAIN_MS.max));
      await rest(waitMs, AbortSignal.any([closing, signal]));
    }
  }

  async function tell(requestId: string, woken: () => AbortSignal): Promise<void> {
    const job = await ended(requestId, woken);
    if (!job || job.webhookUrl === null) return;
    await webhooks.tell(job, job.webhookUrl);
    // What was not delivered because this process ends is owed by the next one.
    if (!closing.aborted) await queue.markTold(requestId);
  }

  return {
    /** Resolves when the job's webhook was taken, or will be taken no more; looks at once when it is called again. */
    watch({ requestId }: Job): Promise<void> {
      const known = watched.get(requestId);
      known?.look();
      if (known) return known.told;
      let waker = new AbortController();
      const woken = () => {
        if (waker.signal.aborted) waker = new AbortController();
        return waker.signal;
      };
      const told = tell(requestId, woken)
        .catch((error: unknown) => log.error({ cause: String(error) }, 'the fal simulator failed'))
        .finally(() => watched.delete(requestId));
      watched.set(requestId, { told, look: () => waker.abort() });
      return told;
    },
    async close(): Promise<void> {
      await Promise.all([...watched.values()].map(({ told }) => told));
    },
  };
}
