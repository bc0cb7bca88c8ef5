import type { Log } from '../../src/kernel/log.ts';
import { wait } from '../faults.ts';
import { type Queue, stateOf } from './queue.ts';
import type { Job, JobStore } from './store.ts';
import type { Webhooks } from './webhooks.ts';

/** Another process may change a job, and a test may turn its clock. */
const CHECK_EVERY_MS = { min: 50, max: 1_000 };

/** Waits for jobs to end, and then sends their webhooks. */
export function createNotifier(options: {
  store: JobStore;
  queue: Queue;
  webhooks: Webhooks;
  log: Log;
  closing: AbortSignal;
}) {
  const { store, queue, webhooks, log, closing } = options;
  const pending = new Map<string, { done: Promise<void>; checkNow: () => void }>();

  /** Resolves as soon as the job has ended; undefined where no webhook is to be sent. `nextCheck` aborts to end a wait. */
  async function ended(requestId: string, nextCheck: () => AbortSignal): Promise<Job | undefined> {
    for (;;) {
      const signal = nextCheck();
      const job = await store.read(requestId);
      if (!job || job.isNotified || job.isCancelled || closing.aborted) return undefined;
      const nowMs = queue.nowMs();
      if (stateOf(job, nowMs) === 'COMPLETED') return job;
      const leftMs = (job.endsAtMs ?? Number.POSITIVE_INFINITY) - nowMs;
      const waitMs = Math.max(CHECK_EVERY_MS.min, Math.min(leftMs, CHECK_EVERY_MS.max));
      await wait(waitMs, AbortSignal.any([closing, signal]));
    }
  }

  async function notify(requestId: string, nextCheck: () => AbortSignal): Promise<void> {
    const job = await ended(requestId, nextCheck);
    if (!job || job.webhookUrl === null) return;
    await webhooks.send(job, job.webhookUrl);
    // The next process sends what this one could not deliver before it ended.
    if (!closing.aborted) await queue.markNotified(requestId);
  }

  return {
    /**
     * Resolves when the job's webhook was accepted, or is not sent any more. A second call for the same job checks it at
     * once.
     */
    notifyWhenEnded({ requestId }: Job): Promise<void> {
      const known = pending.get(requestId);
      known?.checkNow();
      if (known) return known.done;
      let check = new AbortController();
      const nextCheck = () => {
        if (check.signal.aborted) check = new AbortController();
        return check.signal;
      };
      const done = notify(requestId, nextCheck)
        .catch((error: unknown) => log.error({ cause: String(error) }, 'the fal simulator failed'))
        .finally(() => pending.delete(requestId));
      pending.set(requestId, { done, checkNow: () => check.abort() });
      return done;
    },
    async close(): Promise<void> {
      await Promise.all([...pending.values()].map(({ done }) => done));
    },
  };
}
