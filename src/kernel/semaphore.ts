import { createBoundedSemaphore } from './bounded-semaphore.ts';

export type Semaphore = <T>(work: () => Promise<T>) => Promise<T>;

/** Runs at most `slots` functions at a time; the others wait in line. */
export function createSemaphore(slots: number): Semaphore {
  return createBoundedSemaphore({ slots, waitingMax: Infinity, waitMs: Infinity }).run;
}
