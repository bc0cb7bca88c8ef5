import { isPassing } from './errors.ts';
import { backoffMs, pause } from './timers.ts';

const TRIES_MAX = 4;
const BACKOFF = { baseMs: 500, maxMs: 4_000 };

/** Repeats a call that does no harm when it is made twice. */
export async function repeatable<Answer>(call: () => Promise<Answer>, signal?: AbortSignal): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      if (signal?.aborted || !isPassing(error) || tries === TRIES_MAX) throw error;
      await pause(backoffMs(tries, BACKOFF), signal);
      signal?.throwIfAborted();
    }
  }
}
