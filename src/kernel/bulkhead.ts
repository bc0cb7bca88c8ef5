/** Limits how many calls to one vendor run at once in this process. */
import type { Clock } from './clock.ts';

/** `retryAfterMs`: all slots were in use, and nothing has run. */
export type SlotResult<T> = { hasRun: true; result: T } | { hasRun: false; retryAfterMs: number };

export type Bulkhead = {
  /** Runs the work in a slot of that name, or, where none is free, says at once when to come back. */
  run<T>(name: string, work: () => Promise<T>): Promise<SlotResult<T>>;
};

/** The queue polls for delayed tasks about as often. */
const RETRY_MIN_MS = 500;
/** Those turned away come back one by one, so that a long line costs the database no more than a short one. */
const RETRY_EVERY_MS = 250;
/** The longest that a slot may be free while others wait for it. */
const RETRY_MAX_MS = 10_000;

type Compartment = { inUse: number; lastRetryAt: number };

/** `slots` for each name, in this process. */
export function createBulkhead({ slots, clock }: { slots: number; clock: Clock }): Bulkhead {
  const compartments = new Map<string, Compartment>();

  /** After all that were turned away before. */
  const retryAfterMs = (compartment: Compartment): number => {
    const now = clock.now().getTime();
    const inLineMs = compartment.lastRetryAt + RETRY_EVERY_MS - now;
    const waitMs = Math.min(Math.max(inLineMs, RETRY_MIN_MS), RETRY_MAX_MS);
    compartment.lastRetryAt = now + waitMs;
    return waitMs;
  };

  return {
    async run(name, work) {
      const compartment = compartments.get(name) ?? { inUse: 0, lastRetryAt: 0 };
      compartments.set(name, compartment);
      if (compartment.inUse >= slots) return { hasRun: false, retryAfterMs: retryAfterMs(compartment) };
      compartment.inUse += 1;
      try {
        return { hasRun: true, result: await work() };
      } finally {
        compartment.inUse -= 1;
      }
    },
  };
}
