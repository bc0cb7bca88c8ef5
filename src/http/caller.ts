import { Problem } from '../kernel/errors.ts';
import { parseUuid } from '../kernel/ids.ts';
import type { HttpContext } from './env.ts';

/** The verified caller's user id. A route that asks without its guard in front is our own mistake: 401, never somebody. */
export function callerId(c: HttpContext): string {
  const caller = c.get('caller');
  if (!caller) throw new Problem('ERR_4005');
  return caller.userId;
}

/** A `user_id` that was sent along is compared with the token's, never believed. */
export function checkUserId(c: HttpContext, given: unknown): void {
  if (given === undefined || given === null) return;
  const userId = parseUuid(given);
  if (userId === null) throw new Problem('ERR_4006', { details: { field: 'user_id' } });
  if (userId !== callerId(c)) throw new Problem('ERR_4005', { status: 403 });
}
