import type { ProviderStatus } from '../../providers/provider.ts';
import type { ProviderJob } from './job.ts';

/** One question to a provider, connection included. */
const STATUS_TIMEOUT_MS = 30_000;
/** A provider that cannot be reached, or has not heard of a job yet, is not hammered. */
export const ASK_AGAIN_MS = 5_000;
/** Whatever wait it names. */
const RETRY_AFTER_MAX_MS = 60_000;

/** How the job of this id stands at its provider, in bounded time. */
export function askProvider(
  { provider, request }: ProviderJob,
  providerJobId: string,
  signal: AbortSignal,
): Promise<ProviderStatus> {
  return provider.status(request, providerJobId, AbortSignal.any([signal, AbortSignal.timeout(STATUS_TIMEOUT_MS)]));
}

/** When a provider that could not be asked is asked again: not before it wishes, within a minute. */
export function waitMsAfter({ retryAfterMs = 0 }: Extract<ProviderStatus, { state: 'unreachable' }>): number {
  return Math.max(ASK_AGAIN_MS, Math.min(retryAfterMs, RETRY_AFTER_MAX_MS));
}
