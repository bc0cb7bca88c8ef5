import { Problem } from '../kernel/errors.ts';
import { parseUuid } from '../kernel/ids.ts';
import type { HttpContext } from './env.ts';

const HEADER = 'Idempotency-Key';

/** Returns the request's `Idempotency-Key` in lower case. Throws ERR_4006 if it is missing or not a UUID. */
export function requireIdempotencyKey(c: HttpContext): string {
  const key = readIdempotencyKey(c);
  if (key === null) throw new Problem('ERR_4006', { details: { field: HEADER, reason: 'missing' } });
  return key;
}

/** Returns the request's `Idempotency-Key` in lower case, null without one. Throws ERR_4006 if it is not a UUID. */
export function readIdempotencyKey(c: HttpContext): string | null {
  const text = c.req.header(HEADER)?.trim() ?? '';
  if (text === '') return null;
  // The IETF's draft has it as a string of structured fields (RFC 9651), which stands in quotes.
  const key = parseUuid(text.replace(/^"(.*)"$/, '$1'));
  if (key === null) throw new Problem('ERR_4006', { details: { field: HEADER } });
  return key;
}
