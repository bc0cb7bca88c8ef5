/** Runway's API. A client of our own: the vendor's SDK is large, and by default it repeats a submit whose reply was lost. */

import { systemRetryTools } from '../../kernel/retry.ts';
import type { ProviderAdapter } from '../provider.ts';
import { cancel } from './cancel.ts';
import { createRunway, type RunwayOptions } from './context.ts';
import { status } from './status.ts';
import { submit } from './submit.ts';

export type { RunwayOptions } from './context.ts';

/** Runway's documentation asks for no more frequent polls of one task. */
const POLL_INTERVAL_MS = 5_000;

/** Stores nothing on this machine: any process can poll any job. Runway sends no webhooks. */
export function createRunwayAdapter(options: RunwayOptions): ProviderAdapter {
  const { pollIntervalMs = POLL_INTERVAL_MS, retryTools = systemRetryTools, onRefusedKey = () => {} } = options;
  const runway = createRunway({ ...options, pollIntervalMs, retryTools, onRefusedKey });
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
