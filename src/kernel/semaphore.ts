export type Semaphore = <T>(work: () => Promise<T>) => Promise<T>;

/** Runs at most `slots` functions at a time; the others wait in line. */
export function createSemaphore(slots: number): Semaphore {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running < slots) running += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      // The next in line takes over this slot.
      if (next) next();
      else running -= 1;
    }
  };
}
