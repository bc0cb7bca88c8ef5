import type { Clock } from '../../kernel/clock.ts';
import { retryAfterMsOf } from '../../kernel/retry.ts';

/** Apple's limits are per hour. */
const WAIT_MAX_MS = 3_600_000;

/** The App Store Server API gives a UNIX time in milliseconds, HTTP seconds or a date. Null: none, or no sensible one. */
export function retryAfterMsIn(headers: Headers, clock: Clock): number | null {
  const text = headers.get('retry-after')?.trim() ?? '';
  const nowMs = clock.now().getTime();
  const isTime = /^\d{10,16}$/.test(text);
  // Ten digits are a UNIX time in seconds: in milliseconds it would be in 1970.
  const atMs = Number(text) * (text.length === 10 ? 1000 : 1);
  const waitMs = isTime ? Math.max(0, atMs - nowMs) : retryAfterMsOf(headers, clock);
  return waitMs === null ? null : Math.min(waitMs, WAIT_MAX_MS);
}
