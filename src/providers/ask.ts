/** Questions that are safe to repeat, and what an answer means that says nothing about the job. */
import type { Clock } from '../kernel/clock.ts';
import type { ProviderStatus } from './provider.ts';
import { quoted } from './quoted.ts';
import { type NoReply, parsed, type Reply } from './reply.ts';
import { isPassingStatus, type RetryTools, retry, retryAfterMsOf, type Tried } from './retry.ts';

export type Asked = Tried<Reply | NoReply>;

export type AskOptions = {
  clock: Clock;
  retryTools: RetryTools;
  /** Replies that are not asked for again, whatever their status. */
  isFinal?: (reply: Reply) => boolean;
};

/** Asks by the retry policy; `tryOnce` does not throw. */
export function askPatiently(
  tryOnce: (limit: AbortSignal) => Promise<Reply | NoReply>,
  { clock, retryTools, isFinal = () => false }: AskOptions,
  signal: AbortSignal,
): Promise<Asked> {
  const judged = async (limit: AbortSignal): Promise<Asked> => {
    const answer = await tryOnce(limit);
    if (answer.got === 'nothing') return { answer, isPassing: true, retryAfterMs: null };
    const isCutOff = answer.text === null;
    const isPassing = (isCutOff || isPassingStatus(answer.status)) && !isFinal(answer);
    return { answer, isPassing, retryAfterMs: isPassing ? retryAfterMsOf(answer.headers, clock) : null };
  };
  return retry(judged, retryTools, signal);
}

export type Vendor = {
  apiKey: string;
  /** A refused key concerns every job: whoever runs the server must hear of it. */
  reportKeyTrouble(cause: string): void;
};

/** An answer that says nothing about the job: a gateway's, or one to our key. */
export function unreachable(vendor: Vendor, reply: Reply, { retryAfterMs }: Asked): ProviderStatus {
  const isKeyRefused = reply.status === 401 || reply.status === 403;
  const isVendors = isKeyRefused && parsed(reply.text) !== undefined;
  const cause = `answered ${reply.status}${isVendors ? ` (${quoted(reply.text ?? '', [vendor.apiKey])})` : ''}`;
  if (isKeyRefused) vendor.reportKeyTrouble(cause);
  return { state: 'unreachable', cause, ...(retryAfterMs === null ? {} : { retryAfterMs }) };
}
