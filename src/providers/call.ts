/** Requests to vendors: one at a time or by the retry policy; and what a reply means that says nothing about the job. */
import type { Clock } from '../kernel/clock.ts';
import { isRetryableStatus, type RetryTools, retry, retryAfterMsOf, type TryResult } from '../kernel/retry.ts';
import type { ProviderStatus } from './provider.ts';
import { redact } from './redact.ts';
import { NO_TIME_LEFT, type NoReply, noReplyFrom, parseJson, type Reply, readText } from './reply.ts';

/** Never throws. A redirect is a reply like any other: neither the key nor the request goes to another host. */
export async function callOnce(
  fetch: typeof globalThis.fetch,
  url: string,
  init: RequestInit,
  signal: AbortSignal,
): Promise<Reply | NoReply> {
  if (signal.aborted) return NO_TIME_LEFT;
  try {
    const response = await fetch(url, { ...init, redirect: 'manual', signal });
    return { got: 'reply', status: response.status, headers: response.headers, text: await readText(response) };
  } catch (error) {
    return noReplyFrom(error, signal);
  }
}

export type RetriedReply = TryResult<Reply | NoReply>;

export type RetryingOptions = {
  clock: Clock;
  retryTools: RetryTools;
  /** Replies after which the request is not repeated, whatever their status. */
  isFinal?: (reply: Reply) => boolean;
};

/** Repeats the request by the retry policy; `tryOnce` does not throw. */
export function callWithRetries(
  tryOnce: (limit: AbortSignal) => Promise<Reply | NoReply>,
  { clock, retryTools, isFinal = () => false }: RetryingOptions,
  signal: AbortSignal,
): Promise<RetriedReply> {
  const attempt = async (limit: AbortSignal): Promise<RetriedReply> => {
    const answer = await tryOnce(limit);
    if (answer.got === 'nothing') return { answer, isRetryable: true, retryAfterMs: null };
    const isCutOff = answer.text === null;
    const isRetryable = (isCutOff || isRetryableStatus(answer.status)) && !isFinal(answer);
    return { answer, isRetryable, retryAfterMs: isRetryable ? retryAfterMsOf(answer.headers, clock) : null };
  };
  return retry(attempt, retryTools, signal);
}

export type Vendor = {
  apiKey: string;
  /** A refused key stops every job: it is logged as an error, for the operator. */
  reportRefusedKey(cause: string): void;
};

/** The status for a reply that says nothing about the job: a gateway's, or a refusal of our key. */
export function unreachable(vendor: Vendor, reply: Reply, { retryAfterMs }: RetriedReply): ProviderStatus {
  const isKeyRefused = [401, 402, 403].includes(reply.status);
  const isFromVendor = isKeyRefused && parseJson(reply.text) !== undefined;
  const cause = `answered ${reply.status}${isFromVendor ? ` (${redact(reply.text ?? '', [vendor.apiKey])})` : ''}`;
  if (isKeyRefused) vendor.reportRefusedKey(cause);
  return { state: 'unreachable', cause, ...(retryAfterMs === null ? {} : { retryAfterMs }) };
}
