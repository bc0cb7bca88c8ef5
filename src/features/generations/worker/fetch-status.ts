import type { ProviderStatus } from '../../../providers/provider.ts';
import type { ProviderJob } from '../job.ts';

/** One status request, connection included. */
const STATUS_TIMEOUT_MS = 30_000;
/** The wait before polling again a provider that did not answer, or that does not know the job yet. */
export const POLL_AGAIN_MS = 5_000;
/** The longest wait, even if the provider's `Retry-After` is longer. */
const RETRY_AFTER_MAX_MS = 60_000;

/** Asks the provider for a job's status, in bounded time. */
export function fetchStatus(
  { provider, request }: ProviderJob,
  providerJobId: string,
  signal: AbortSignal,
): Promise<ProviderStatus> {
  return provider.status(request, providerJobId, AbortSignal.any([signal, AbortSignal.timeout(STATUS_TIMEOUT_MS)]));
}

/** Returns the wait before an unreachable provider is polled again: what it asks for, from 5 seconds to a minute. */
export function retryAfterMsOf({ retryAfterMs = 0 }: Extract<ProviderStatus, { state: 'unreachable' }>): number {
  return Math.max(POLL_AGAIN_MS, Math.min(retryAfterMs, RETRY_AFTER_MAX_MS));
}
