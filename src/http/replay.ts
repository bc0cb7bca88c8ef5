import type { HttpContext } from './env.ts';

/** An answer that is stored under an idempotency key: status and body go out as they were written. */
export type StoredAnswer = { status: number; body: unknown; isReplay: boolean };

/** Answers with it; a repeat is marked. */
export function replayable(c: HttpContext, answer: StoredAnswer) {
  if (answer.isReplay) c.header('X-Idempotent-Replay', 'true');
  // The procedures write what the route's schema says.
  return c.json(answer.body as never, answer.status as 200);
}
