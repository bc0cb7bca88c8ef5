/** One HTTP request to DeviceCheck, and every way in which it can fail. */
import type { Clock } from '../kernel/clock.ts';
import { errorCodeInChain } from '../kernel/error-code.ts';
import { readText } from './read-text.ts';
import { untilAborted } from './until-aborted.ts';

/** `retryAfterMs` is null if the answer does not give it. `text` is null if the body is larger than any answer of Apple. */
export type Reply = { got: 'reply'; status: number; text: string | null; retryAfterMs: number | null };

/** When it failed: `connecting`, before anything was sent; `talking`, the connection was lost; `waiting`, timed out. */
export type NoReply = { got: 'nothing'; stage: 'connecting' | 'talking' | 'waiting'; cause: string };

export type Call = {
  url: string;
  deviceToken: string;
  /** Added to the three fields that every request has. */
  fields: Record<string, boolean>;
  teamToken: string;
};

/** Apple's answers have fewer than 200 bytes; a much larger one comes from a proxy. */
const BODY_BYTES_MAX = 16 * 1024;

const NEVER_SENT_CODES = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']);

function noReplyFrom(error: unknown, signal: AbortSignal): NoReply {
  if (signal.aborted) return { got: 'nothing', stage: 'waiting', cause: 'no answer in time' };
  const code = errorCodeInChain(error) ?? 'no code';
  if (NEVER_SENT_CODES.has(code)) return { got: 'nothing', stage: 'connecting', cause: `no connection (${code})` };
  return { got: 'nothing', stage: 'talking', cause: `connection lost (${code})` };
}

function retryAfterMsOf(response: Response): number | null {
  const header = response.headers.get('retry-after');
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) * 1000 : null;
}

/** Sends one request, with a new transaction id and the current time; never throws and never follows a redirect. */
export async function callDeviceCheck(
  { url, deviceToken, fields, teamToken }: Call,
  { fetch, clock, signal }: { fetch: typeof globalThis.fetch; clock: Clock; signal: AbortSignal },
): Promise<Reply | NoReply> {
  const body = {
    device_token: deviceToken,
    transaction_id: crypto.randomUUID(),
    timestamp: clock.now().getTime(),
    ...fields,
  };
  try {
    const sent = fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${teamToken}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      redirect: 'manual',
      signal,
    });
    const response = await untilAborted(sent, signal);
    const read = await readText(response, BODY_BYTES_MAX, signal);
    const text = 'text' in read ? read.text : null;
    return { got: 'reply', status: response.status, text, retryAfterMs: retryAfterMsOf(response) };
  } catch (error) {
    return noReplyFrom(error, signal);
  }
}
