import type { Clock } from '../../src/kernel/clock.ts';

/** The time in milliseconds, later at each call: what happens later is dated later, also where the clock stands still. */
export function createStamps(clock: Clock): () => number {
  let last = 0;
  return () => {
    last = Math.max(clock.now().getTime(), last + 1);
    return last;
  };
}

export type Stamps = ReturnType<typeof createStamps>;
