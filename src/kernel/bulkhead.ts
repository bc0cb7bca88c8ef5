/** Walls inside a worker: whoever is stuck fills the compartment of its own name, and the others stay afloat. */
import type { Clock } from './clock.ts';

export type Visit<T> = { isFull: false; result: T } | { isFull: true; comeBackMs: number };

export type Bulkhead = {
  /**
   * Does the work in one of the places of that name; where all of them are taken it does nothing, waits for nobody, and
   * says after how long to come back.
   */
  run<T>(name: string, work: () => Promise<T>): Promise<Visit<T>>;
};

/** The queue looks for delayed tasks about as often. */
const COME_BACK_MIN_MS = 500;
/** They are let back one by one, so that a long line costs the database no more than a short one. */
const COME_BACK_EVERY_MS = 250;
/** The longest that a place may be free before somebody of a long line comes by. */
const COME_BACK_MAX_MS = 10_000;

type Compartment = { inside: number; lastBackAt: number };

/** `places` for each name, in this process. */
export function createBulkhead({ places, clock }: { places: number; clock: Clock }): Bulkhead {
  const compartments = new Map<string, Compartment>();

  /** After all who were turned away before. */
  const comeBackMs = (compartment: Compartment): number => {
    const now = clock.now().getTime();
    const inLineMs = compartment.lastBackAt + COME_BACK_EVERY_MS - now;
    const waitMs = Math.min(Math.max(inLineMs, COME_BACK_MIN_MS), COME_BACK_MAX_MS);
    compartment.lastBackAt = now + waitMs;
    return waitMs;
  };

  return {
    async run(name, work) {
      const compartment = compartments.get(name) ?? { inside: 0, lastBackAt: 0 };
      compartments.set(name, compartment);
      if (compartment.inside >= places) return { isFull: true, comeBackMs: comeBackMs(compartment) };
      compartment.inside += 1;
      try {
        return { isFull: false, result: await work() };
      } finally {
        compartment.inside -= 1;
      }
    },
  };
}
