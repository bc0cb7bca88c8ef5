/** A semaphore whose line is bounded, in length and in time. */

/** The line was full, or the wait was over before a slot became free. Nothing has run. */
export class NoFreeSlot extends Error {
  override readonly name = 'NoFreeSlot';
}

export type BoundedSemaphore = {
  /** Runs the work in a slot, after waiting in line for one. Throws a `NoFreeSlot`, or the refusal. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** True while nothing runs and nothing waits. */
  readonly isIdle: boolean;
  /** How much work waits for a slot. */
  readonly waiting: number;
};

/**
 * Infinity: the line, or the wait in it, has no bound. `refusal` makes the error that is thrown in place of a `NoFreeSlot`: work
 * in a slot may wait in other lines, whose errors must not be taken for this one's.
 */
export type BoundedSemaphoreOptions = { slots: number; waitingMax: number; waitMs: number; refusal?: () => Error };

export function createBoundedSemaphore(options: BoundedSemaphoreOptions): BoundedSemaphore {
  const { slots, waitingMax, waitMs, refusal = () => new NoFreeSlot() } = options;
  // In the order of arrival.
  const waiting = new Set<() => void>();
  let running = 0;

  function waitForSlot(): Promise<void> {
    if (waiting.size >= waitingMax) return Promise.reject(refusal());
    return new Promise((resolve, reject) => {
      const start = () => {
        clearTimeout(timer);
        resolve();
      };
      const giveUp = () => {
        waiting.delete(start);
        reject(refusal());
      };
      const timer = Number.isFinite(waitMs) ? setTimeout(giveUp, waitMs) : undefined;
      waiting.add(start);
    });
  }

  /** The next in line takes over the slot. */
  function leave(): void {
    const [next] = waiting;
    if (!next) {
      running -= 1;
      return;
    }
    waiting.delete(next);
    next();
  }

  return {
    async run(work) {
      if (running < slots) running += 1;
      else await waitForSlot();
      try {
        return await work();
      } finally {
        leave();
      }
    },
    get isIdle() {
      return running === 0;
    },
    get waiting() {
      return waiting.size;
    },
  };
}
