/** What a process counts and measures itself. Series whose labels are known are there from the start: a rate needs a zero. */
import { Counter, Histogram, type Registry } from 'prom-client';
import { ERROR_STATUS } from '../../kernel/errors.ts';
import type { Counters, Histograms, Metrics } from '../../kernel/metrics.ts';

/** From a read of a row to a call that waits for Apple. */
const REQUEST_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Vendors are given up after half a minute. */
const PROVIDER_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30];
/** From a short clip to the deadline of a generation. */
const GENERATION_BUCKETS = [5, 10, 20, 30, 60, 120, 180, 300, 600, 900, 1_800];

type CounterSpec<Name extends keyof Counters> = {
  help: string;
  labelNames: (keyof Counters[Name] & string)[];
  /** Series that begin at zero. */
  known: Counters[Name][];
};

const COUNTERS: { [Name in keyof Counters]: CounterSpec<Name> } = {
  rendio_purchases_total: {
    help: 'Purchases that this process credited (completed) or refused (failed).',
    labelNames: ['store', 'outcome'],
    known: (['apple', 'stripe'] as const).flatMap((store) => [
      { store, outcome: 'completed' as const },
      { store, outcome: 'failed' as const },
    ]),
  },
  rendio_http_requests_total: {
    help: 'Requests that this process answered, by the pattern of their route.',
    labelNames: ['route', 'method', 'status'],
    known: [],
  },
  rendio_rate_limited_total: {
    help: 'Requests that a limit refused, by the limit.',
    labelNames: ['policy'],
    known: ['generations', 'onboarding', 'auth', 'purchases', 'calls', 'calls_in_progress'].map((policy) => ({
      policy,
    })),
  },
  rendio_auth_failures_total: {
    help: 'Requests without the right to what they asked for, by the reason.',
    labelNames: ['reason'],
    known: ['missing', 'malformed', 'bad_token', 'expired', 'signed_out', 'forbidden', 'banned', 'device'].map(
      (reason) => ({ reason }),
    ),
  },
  rendio_errors_total: {
    help: 'Errors that this process answered, and generations that it failed, by their code.',
    labelNames: ['code'],
    known: (Object.keys(ERROR_STATUS) as (keyof typeof ERROR_STATUS)[]).map((code) => ({ code })),
  },
  rendio_session_refreshes_total: {
    help: 'Refresh tokens that were exchanged (rotated, active) or refused (the reason).',
    labelNames: ['outcome'],
    known: ['rotated', 'active', 'not_found', 'session_expired', 'session_revoked', 'reused', 'banned'].map(
      (outcome) => ({ outcome }),
    ),
  },
};

type HistogramSpec<Name extends keyof Histograms> = {
  help: string;
  labelNames: (keyof Histograms[Name] & string)[];
  buckets: number[];
};

const HISTOGRAMS: { [Name in keyof Histograms]: HistogramSpec<Name> } = {
  rendio_http_request_duration_seconds: {
    help: 'How long this process took for a request, until its answer began.',
    labelNames: [],
    buckets: REQUEST_BUCKETS,
  },
  rendio_generation_seconds: {
    help: 'From the charge to the stored video, for generations that this process completed.',
    labelNames: ['provider'],
    buckets: GENERATION_BUCKETS,
  },
  rendio_provider_request_seconds: {
    help: 'Calls of this process to a provider, with their repetitions, by what the adapter made of the answer.',
    labelNames: ['provider', 'call', 'outcome'],
    buckets: PROVIDER_BUCKETS,
  },
};

export function createInstruments(register: Registry): Metrics {
  const registers = [register];
  const counters = mapValues(COUNTERS, (name, { help, labelNames, known }) => {
    const counter = new Counter<string>({ name, help, labelNames, registers });
    for (const labels of known) counter.inc(labels, 0);
    return counter;
  });
  const histograms = mapValues(
    HISTOGRAMS,
    (name, { help, labelNames, buckets }) => new Histogram<string>({ name, help, labelNames, buckets, registers }),
  );
  return {
    count: (name, labels) => counters[name].inc(labels),
    observe: (name, labels, seconds) => histograms[name].observe(labels, seconds),
  };
}

function mapValues<Name extends string, From, To>(
  values: Record<Name, From>,
  map: (name: Name, value: From) => To,
): Record<Name, To> {
  const names = Object.keys(values) as Name[];
  return Object.fromEntries(names.map((name) => [name, map(name, values[name])])) as Record<Name, To>;
}
