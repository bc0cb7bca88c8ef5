import { administratorOf } from '../../../http/caller.ts';
import type { HttpContext } from '../../../http/env.ts';
import { readIdempotencyKey } from '../../../http/idempotency.ts';
import type { AdminCall } from '../change.ts';

/** Who asks for a change, and under which key. */
export function adminCallOf(c: HttpContext): AdminCall {
  return { administrator: administratorOf(c), idempotencyKey: readIdempotencyKey(c) };
}
