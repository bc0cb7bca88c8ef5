import type { HttpContext } from './env.ts';

/** A response that is stored under an idempotency key. Its status and body are sent unchanged. */
export type StoredAnswer = { status: number; body: unknown; isReplay: boolean };

/** Sends it; a replay is marked with `X-Idempotent-Replay`. */
export function replayable(c: HttpContext, answer: StoredAnswer) {
  if (answer.isReplay) c.header('X-Idempotent-Replay', 'true');
  // The procedures write bodies of the shape that the route's schema declares.
  return c.json(answer.body as never, answer.status as 200);
}
