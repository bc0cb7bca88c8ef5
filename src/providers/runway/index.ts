/** Runway's API. A client of our own: the vendor's SDK repeats a submit whose answer was lost, unless told otherwise. */

import { systemRetryTools } from '../../kernel/retry.ts';
import type { ProviderAdapter } from '../provider.ts';
import { cancel } from './cancel.ts';
import { createRunway, type RunwayOptions } from './context.ts';
import { status } from './status.ts';
import { submit } from './submit.ts';

export type { RunwayOptions } from './context.ts';

/** Runway asks not to be asked about one task more often. */
const POLL_INTERVAL_MS = 5_000;

/** Keeps nothing on this machine: any process can ask for any job. Runway sends no webhooks. */
export function createRunwayAdapter(options: RunwayOptions): ProviderAdapter {
  const { pollIntervalMs = POLL_INTERVAL_MS, retryTools = systemRetryTools } = options;
  const runway = createRunway({ ...options, pollIntervalMs, retryTools });
  return {
    submitIsRepeatable: false,
    pollIntervalMs,
    submit: (request, signal) => submit(runway, request, signal),
    status: (request, taskId, signal) => status(runway, request, taskId, signal),
    cancel: (request, taskId, signal) => cancel(runway, request, taskId, signal),
    release: async () => {},
    close: async () => {},
  };
}
