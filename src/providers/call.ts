/** Questions that are safe to repeat, and what an answer means that says nothing about the job. */
import type { Clock } from '../kernel/clock.ts';
import { isRetryableStatus, type RetryTools, retry, retryAfterMsOf, type TryResult } from '../kernel/retry.ts';
import type { ProviderStatus } from './provider.ts';
import { redact } from './redact.ts';
import { type NoReply, parsed, type Reply } from './reply.ts';

export type RetriedReply = TryResult<Reply | NoReply>;

export type RetryingOptions = {
  clock: Clock;
  retryTools: RetryTools;
  /** Replies that are not asked for again, whatever their status. */
  isFinal?: (reply: Reply) => boolean;
};

/** Asks by the retry policy; `tryOnce` does not throw. */
export function callWithRetries(
  tryOnce: (limit: AbortSignal) => Promise<Reply | NoReply>,
  { clock, retryTools, isFinal = () => false }: RetryingOptions,
  signal: AbortSignal,
): Promise<RetriedReply> {
  const judged = async (limit: AbortSignal): Promise<RetriedReply> => {
    const answer = await tryOnce(limit);
    if (answer.got === 'nothing') return { answer, isRetryable: true, retryAfterMs: null };
    const isCutOff = answer.text === null;
    const isRetryable = (isCutOff || isRetryableStatus(answer.status)) && !isFinal(answer);
    return { answer, isRetryable, retryAfterMs: isRetryable ? retryAfterMsOf(answer.headers, clock) : null };
  };
  return retry(judged, retryTools, signal);
}

export type Vendor = {
  apiKey: string;
  /** A refused key concerns every job: whoever runs the server must hear of it. */
  reportKeyTrouble(cause: string): void;
};

/** An answer that says nothing about the job: a gateway's, or one to our key. */
export function unreachable(vendor: Vendor, reply: Reply, { retryAfterMs }: RetriedReply): ProviderStatus {
  const isKeyRefused = reply.status === 401 || reply.status === 403;
  const isVendors = isKeyRefused && parsed(reply.text) !== undefined;
  const cause = `answered ${reply.status}${isVendors ? ` (${redact(reply.text ?? '', [vendor.apiKey])})` : ''}`;
  if (isKeyRefused) vendor.reportKeyTrouble(cause);
  return { state: 'unreachable', cause, ...(retryAfterMs === null ? {} : { retryAfterMs }) };
}
