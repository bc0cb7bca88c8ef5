export type ConsecutiveCounter = {
  /** Records one check; returns the names that were seen in it and in enough checks directly before it. */
  count(seen: string[]): string[];
  reset(): void;
};

/** Counts in how many checks in a row a name was seen, so that a passing state leads to no action. */
export function createConsecutiveCounter(checks: number): ConsecutiveCounter {
  let counts = new Map<string, number>();
  return {
    count(seen) {
      counts = new Map(seen.map((name) => [name, (counts.get(name) ?? 0) + 1]));
      return [...counts].filter(([, times]) => times >= checks).map(([name]) => name);
    },
    reset() {
      counts = new Map();
    },
  };
}
