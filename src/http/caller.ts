import { Problem } from '../kernel/errors.ts';
import { parseUuid } from '../kernel/ids.ts';
import type { Administrator, HttpContext } from './env.ts';

/** Returns the verified caller's user id. Throws ERR_4005 (401) if a route was mounted without its guard. */
export function callerId(c: HttpContext): string {
  const caller = c.get('caller');
  if (!caller) throw new Problem('ERR_4005');
  return caller.userId;
}

/** Returns the administrator of an admin route. Throws ERR_4005 (401) if a route was mounted without its guard. */
export function administratorOf(c: HttpContext): Administrator {
  const administrator = c.get('administrator');
  if (!administrator) throw new Problem('ERR_4005');
  return administrator;
}

/** Returns the verified caller's session; null for a token without one. */
export function callerSessionId(c: HttpContext): string | null {
  return c.get('caller')?.sessionId ?? null;
}

/** Returns all ids that address the caller's account: its own, and those of guests that were merged into it. */
export function callerIds(c: HttpContext): string[] {
  return [callerId(c), ...(c.get('caller')?.mergedIds ?? [])];
}

/** Compares every `user_id` in the query with the token's; an empty one is none. Throws as `checkUserId` does. */
export function checkQueryUserId(c: HttpContext): void {
  for (const given of c.req.queries('user_id') ?? []) checkUserId(c, given === '' ? null : given);
}

/** Compares a `user_id` in the request with the token's. Throws ERR_4005 (403) if it is another user's. */
export function checkUserId(c: HttpContext, given: unknown): void {
  if (given === undefined || given === null) return;
  const userId = parseUuid(given);
  if (userId === null) throw new Problem('ERR_4006', { details: { field: 'user_id' } });
  if (!callerIds(c).includes(userId)) throw new Problem('ERR_4005', { status: 403 });
}
