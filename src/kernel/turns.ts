export type Turns = <T>(work: () => Promise<T>) => Promise<T>;

/** Lets `max` pieces of work run at a time; the others wait in line. */
export function createTurns(max: number): Turns {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running < max) running += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      // Whoever waited takes the place over.
      if (next) next();
      else running -= 1;
    }
  };
}
