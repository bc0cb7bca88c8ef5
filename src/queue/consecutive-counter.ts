export type ConsecutiveCounter = {
  /** One look: returns the names that it and as many looks before it have seen in a row. */
  count(seen: string[]): string[];
  reset(): void;
};

/** Counts in how many looks in a row a name was seen, so that what passes by itself is not acted upon. */
export function createConsecutiveCounter(looks: number): ConsecutiveCounter {
  let counts = new Map<string, number>();
  return {
    count(seen) {
      counts = new Map(seen.map((name) => [name, (counts.get(name) ?? 0) + 1]));
      return [...counts].filter(([, times]) => times >= looks).map(([name]) => name);
    },
    reset() {
      counts = new Map();
    },
  };
}
