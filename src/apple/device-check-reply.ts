/** What DeviceCheck's answers mean. Apple documents few of them: the texts are those seen in practice. */
import { z } from 'zod';
import type { NoReply, Reply } from './device-check-call.ts';

/**
 * - `accepted`: 200, with what it said (null: more than Apple ever says);
 * - `bad_token`: Apple knows no such device;
 * - `refused`: nothing was done; `unclear`: it may have been done. A second try is worth it after `againAfterMs`, or
 *   not at all (null).
 */
export type Meaning =
  | { means: 'accepted'; text: string | null }
  | { means: 'bad_token' }
  | { means: 'refused'; cause: string; isOurFault: boolean; againAfterMs: number | null }
  | { means: 'unclear'; cause: string; againAfterMs: number | null };

/** Longer than every text that Apple is known to send. */
const PLAIN_LENGTH_MAX = 200;
/** Long enough for another connection or another server, too short to be noticed. */
const PAUSE_MS = 150;
/** Whoever asks for more patience than this is asked at the next occasion: somebody is waiting. */
const PATIENCE_MS = 1000;

/** One of Apple's own short texts, as against a proxy's page. */
function isPlain(text: string): boolean {
  return text.length <= PLAIN_LENGTH_MAX && !text.trimStart().startsWith('<');
}

/** A 400 may be about our clock or our transaction id: only one that names the device token is about the device. */
function blamesToken(status: number, text: string): boolean {
  return status === 400 && isPlain(text) && /device token/i.test(text);
}

/** The words of a short text for our log; whatever is long enough to be a token is left out. */
function quoted(text: string): string {
  return isPlain(text) && text.trim() !== '' ? `: ${text.trim().replaceAll(/\S{16,}/g, '…')}` : '';
}

function patient(afterMs: number | null): number | null {
  return afterMs !== null && afterMs <= PATIENCE_MS ? afterMs : null;
}

function meaningOfSilence({ stage, cause }: NoReply): Meaning {
  if (stage === 'connecting') return { means: 'refused', cause, isOurFault: false, againAfterMs: PAUSE_MS };
  return { means: 'unclear', cause, againAfterMs: stage === 'waiting' ? null : PAUSE_MS };
}

/** Sorts an answer, or its absence, by what may have happened at Apple's. */
export function meaningOf(reply: Reply | NoReply): Meaning {
  if (reply.got === 'nothing') return meaningOfSilence(reply);
  const { status, retryAfterMs } = reply;
  const text = reply.text ?? '';
  if (status === 200) return { means: 'accepted', text: reply.text };
  if (blamesToken(status, text)) return { means: 'bad_token' };
  const cause = `answered ${status}${quoted(text)}`;
  if (status === 429) return { means: 'refused', cause, isOurFault: false, againAfterMs: patient(retryAfterMs) };
  if (status >= 400 && status < 500) return { means: 'refused', cause, isOurFault: true, againAfterMs: null };
  return { means: 'unclear', cause, againAfterMs: status >= 500 ? patient(retryAfterMs ?? PAUSE_MS) : null };
}

const bits = z.object({ bit0: z.boolean(), bit1: z.boolean() });

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The two bits in the text of a 200; a device whose bits were never set is answered in words. Undefined: neither. */
export function bitsIn(text: string | null): z.infer<typeof bits> | undefined {
  const said = text === null ? undefined : parsed(text);
  if (typeof said !== 'string') return bits.safeParse(said).data;
  return isPlain(said) && /bit state/i.test(said) ? { bit0: false, bit1: false } : undefined;
}

/** Apple confirms an update with an empty 200; a page in its place came from somebody in between. */
export function confirms(text: string | null): boolean {
  return text !== null && isPlain(text);
}
