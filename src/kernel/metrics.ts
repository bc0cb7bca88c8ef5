import type { ErrorCode } from './errors.ts';

/**
 * What a process counts, by the names of its metrics, with their labels. Prometheus adds up what all processes count. Each label has
 * few values: a route's pattern, never a path; no id.
 */
export type Counters = {
  rendio_purchases_total: { store: 'apple' | 'stripe'; outcome: 'completed' | 'failed' };
  rendio_http_requests_total: { route: string; method: string; status: string };
  rendio_rate_limited_total: { policy: string };
  rendio_auth_failures_total: { reason: string };
  rendio_errors_total: { code: ErrorCode };
  rendio_session_refreshes_total: { outcome: string };
};

/** What a process measures, in seconds. */
export type Histograms = {
  rendio_http_request_duration_seconds: Record<never, never>;
  rendio_generation_seconds: { provider: string };
  rendio_provider_request_seconds: { provider: string; call: string; outcome: string };
};

export type Metrics = {
  /** Counts one. */
  count<Name extends keyof Counters>(name: Name, labels: Counters[Name]): void;
  observe<Name extends keyof Histograms>(name: Name, labels: Histograms[Name], seconds: number): void;
};

/** Counts nothing: for runtimes that nothing scrapes. */
export const noMetrics: Metrics = { count: () => {}, observe: () => {} };
