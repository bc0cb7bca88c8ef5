/** What DeviceCheck's answers mean. Apple documents few of them: the texts are the ones seen in practice. */
import { z } from 'zod';
import type { NoReply, Reply } from './device-check-call.ts';

/**
 * - `accepted`: 200, with the text of the answer (null: longer than any answer of Apple);
 * - `bad_token`: Apple does not know the device;
 * - `refused`: the request was not applied; `unclear`: it may have been applied. A retry may help after `retryAfterMs`;
 *   null means that it does not.
 */
export type Meaning =
  | { means: 'accepted'; text: string | null }
  | { means: 'bad_token' }
  | { means: 'refused'; cause: string; isOurFault: boolean; retryAfterMs: number | null }
  | { means: 'unclear'; cause: string; retryAfterMs: number | null };

/** Longer than all texts that Apple is known to send. */
const PLAIN_LENGTH_MAX = 200;
/** Long enough to reach another server or use another connection, too short for a user to notice. */
const RETRY_DELAY_MS = 150;
/** If Apple asks for a longer wait, there is no retry: a user is waiting. */
const RETRY_AFTER_MAX_MS = 1000;

/** Whether it can be one of Apple's short texts and not the page of a proxy. */
function isPlain(text: string): boolean {
  return text.length <= PLAIN_LENGTH_MAX && !text.trimStart().startsWith('<');
}

/** A 400 may concern our clock or our transaction id: only one that names the device token concerns the device. */
function isAboutToken(status: number, text: string): boolean {
  return status === 400 && isPlain(text) && /device token/i.test(text);
}

/** A short text for the log; words that are long enough to be a token are left out. */
function quoted(text: string): string {
  return isPlain(text) && text.trim() !== '' ? `: ${text.trim().replaceAll(/\S{16,}/g, '…')}` : '';
}

function unlessTooLong(afterMs: number | null): number | null {
  return afterMs !== null && afterMs <= RETRY_AFTER_MAX_MS ? afterMs : null;
}

function meaningOfFailure({ stage, cause }: NoReply): Meaning {
  if (stage === 'connecting') return { means: 'refused', cause, isOurFault: false, retryAfterMs: RETRY_DELAY_MS };
  return { means: 'unclear', cause, retryAfterMs: stage === 'waiting' ? null : RETRY_DELAY_MS };
}

/** Classifies an answer, or the failure to get one, by what Apple may have done. */
export function meaningOf(reply: Reply | NoReply): Meaning {
  if (reply.got === 'nothing') return meaningOfFailure(reply);
  const { status, retryAfterMs } = reply;
  const text = reply.text ?? '';
  if (status === 200) return { means: 'accepted', text: reply.text };
  if (isAboutToken(status, text)) return { means: 'bad_token' };
  const cause = `answered ${status}${quoted(text)}`;
  if (status === 429) return { means: 'refused', cause, isOurFault: false, retryAfterMs: unlessTooLong(retryAfterMs) };
  if (status >= 400 && status < 500) return { means: 'refused', cause, isOurFault: true, retryAfterMs: null };
  return {
    means: 'unclear',
    cause,
    retryAfterMs: status >= 500 ? unlessTooLong(retryAfterMs ?? RETRY_DELAY_MS) : null,
  };
}

const bits = z.object({ bit0: z.boolean(), bit1: z.boolean() });

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The two bits in the text of a 200. For a device without bits Apple answers with a sentence. Undefined: neither of these. */
export function bitsIn(text: string | null): z.infer<typeof bits> | undefined {
  const value = text === null ? undefined : parsed(text);
  if (typeof value !== 'string') return bits.safeParse(value).data;
  return isPlain(value) && /bit state/i.test(value) ? { bit0: false, bit1: false } : undefined;
}

/** Apple confirms an update with an empty 200; a page instead of it comes from a proxy. */
export function confirms(text: string | null): boolean {
  return text !== null && isPlain(text);
}
