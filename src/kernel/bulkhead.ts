/** Limits how many calls to one vendor run at once in this process. */
import type { Clock } from './clock.ts';

/** `retryAfterMs`: all slots were in use, and nothing has run. */
export type SlotResult<T> = { hasRun: true; result: T } | { hasRun: false; retryAfterMs: number };

export type Bulkhead = {
  /** Runs the work in a slot of that name. Without a free slot it returns at once, with the time after which to retry. */
  run<T>(name: string, work: () => Promise<T>): Promise<SlotResult<T>>;
};

/** The queue polls for delayed tasks about as often. */
const RETRY_MIN_MS = 500;
/** Calls without a slot are retried one after another, so that a long line costs the database no more than a short one. */
const RETRY_EVERY_MS = 250;
/** The longest time that a slot may stay free while calls wait for one. */
const RETRY_MAX_MS = 10_000;

type Usage = { inUse: number; lastRetryAt: number };

/** `slots`: how many for each name, in this process. */
export function createBulkhead({ slots, clock }: { slots: number; clock: Clock }): Bulkhead {
  const usages = new Map<string, Usage>();

  /** Later than the retries of all calls that were turned away before. */
  const retryAfterMs = (usage: Usage): number => {
    const now = clock.now().getTime();
    const inLineMs = usage.lastRetryAt + RETRY_EVERY_MS - now;
    const waitMs = Math.min(Math.max(inLineMs, RETRY_MIN_MS), RETRY_MAX_MS);
    usage.lastRetryAt = now + waitMs;
    return waitMs;
  };

  return {
    async run(name, work) {
      const usage = usages.get(name) ?? { inUse: 0, lastRetryAt: 0 };
      usages.set(name, usage);
      if (usage.inUse >= slots) return { hasRun: false, retryAfterMs: retryAfterMs(usage) };
      usage.inUse += 1;
      try {
        return { hasRun: true, result: await work() };
      } finally {
        usage.inUse -= 1;
      }
    },
  };
}
