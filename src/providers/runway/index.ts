/** Runway, through its official SDK with the SDK's retries switched off: it would repeat a submit whose answer was lost. */

import { systemRetryTools } from '../../kernel/retry.ts';
import type { VideoProvider } from '../provider.ts';
import { cancel } from './cancel.ts';
import { createRunway, type RunwayOptions } from './context.ts';
import { status } from './status.ts';
import { submit } from './submit.ts';

export type { RunwayOptions } from './context.ts';

/** Runway asks not to be asked about one task more often. */
const POLL_INTERVAL_MS = 5_000;
/**
 * The distribution that Runway documents its outputs on, and its own domain. Not all of CloudFront, where anybody can
 * rent a host: should Runway move, the configuration can name further hosts.
 */
const MEDIA_HOSTS = ['dnznrvs05pmza.cloudfront.net', '*.runwayml.com'] as const;

/** Keeps nothing on this machine: any process can ask for any job. Runway sends no webhooks. */
export function createRunwayProvider(options: RunwayOptions): VideoProvider {
  const { pollIntervalMs = POLL_INTERVAL_MS, retryTools = systemRetryTools } = options;
  const runway = createRunway({ ...options, pollIntervalMs, retryTools });
  return {
    name: 'runway',
    submitIsRepeatable: false,
    pollIntervalMs,
    mediaHosts: MEDIA_HOSTS,
    submit: (request, signal) => submit(runway, request, signal),
    status: (request, taskId, signal) => status(runway, request, taskId, signal),
    cancel: (request, taskId, signal) => cancel(runway, request, taskId, signal),
    release: async () => {},
    close: async () => {},
  };
}
