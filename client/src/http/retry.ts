import { throwIfAborted } from './abort.ts';
import { isRetryable } from './errors.ts';
import { backoffMs, delay } from './timers.ts';

const ATTEMPTS_MAX = 4;
const BACKOFF = { baseMs: 500, maxMs: 4_000 };

/** Calls `call`, and retries it on a retryable error. Only for calls that are safe to repeat. */
export async function withRetry<Answer>(call: () => Promise<Answer>, signal?: AbortSignal): Promise<Answer> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await call();
    } catch (error) {
      if (signal?.aborted || !isRetryable(error) || attempts === ATTEMPTS_MAX) throw error;
      await delay(backoffMs(attempts, BACKOFF), signal);
      throwIfAborted(signal);
    }
  }
}
