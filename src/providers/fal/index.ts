/** fal.ai's queue, and Pika behind it. A client of our own: the vendor's SDK repeats a submit whose reply was lost. */

import { systemRetryTools } from '../../kernel/retry.ts';
import type { ProviderAdapter } from '../provider.ts';
import { cancel } from './cancel.ts';
import { createFal, type FalOptions } from './context.ts';
import { createSigningKeys } from './jwks.ts';
import { status } from './status.ts';
import { submit } from './submit.ts';
import { verifyWebhook } from './webhook.ts';

export type { FalOptions } from './context.ts';

/** Webhooks are faster than polling; without them a video is delivered this much later. */
const POLL_INTERVAL_MS = 5_000;

/** Stores nothing on this machine: any process can poll any job. */
export function createFalAdapter(options: FalOptions): ProviderAdapter {
  const { pollIntervalMs = POLL_INTERVAL_MS, retryTools = systemRetryTools, onRefusedKey = () => {} } = options;
  const fal = createFal({ ...options, pollIntervalMs, retryTools, onRefusedKey });
  const keys = createSigningKeys(options);
  return {
    submitIsRepeatable: false,
    pollIntervalMs,
    submit: (request, signal) => submit(fal, request, signal),
    status: (request, requestId, signal) => status(fal, request, requestId, signal),
    cancel: (request, requestId, signal) => cancel(fal, request, requestId, signal),
    verifyWebhook: (delivery) => verifyWebhook(keys, delivery),
    release: async () => {},
    close: async () => {},
  };
}
