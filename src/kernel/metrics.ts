/** What a process counts, by the names of its metrics, with their labels. Prometheus adds up what all processes count. */
export type Counters = {
  rendio_purchases_total: { store: 'apple' | 'stripe'; outcome: 'completed' | 'failed' };
};

export type Metrics = {
  /** Counts one. */
  count<Name extends keyof Counters>(name: Name, labels: Counters[Name]): void;
};

/** Counts nothing: for runtimes that nothing scrapes. */
export const noMetrics: Metrics = { count: () => {} };
