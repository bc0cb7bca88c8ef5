/** Limits how much work with one key, such as an account, runs at once in this process. The rest waits in line. */
import { type BoundedSemaphore, type BoundedSemaphoreOptions, createBoundedSemaphore } from './bounded-semaphore.ts';

export type KeyedSlots = {
  /** Runs the work in a slot of this key. Throws a `NoFreeSlot`, or the refusal, if none becomes free in time, or if the line is full. */
  run<T>(key: string, work: () => Promise<T>): Promise<T>;
};

/** `options` hold for each key. */
export function createKeyedSlots(options: BoundedSemaphoreOptions): KeyedSlots {
  const lines = new Map<string, BoundedSemaphore>();
  return {
    async run(key, work) {
      const line = lines.get(key) ?? createBoundedSemaphore(options);
      lines.set(key, line);
      try {
        return await line.run(work);
      } finally {
        if (line.isIdle) lines.delete(key);
      }
    },
  };
}
