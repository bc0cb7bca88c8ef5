import { throwIfAborted } from './abort.ts';
import { isRetryable, RendioError } from './errors.ts';
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

/**
 * The same for as long as `patienceMs`, and never sooner than the server asks. An error after which the next attempt would come too
 * late is thrown at once.
 */
export async function withPatience<Answer>(
  call: () => Promise<Answer>,
  { patienceMs, signal }: { patienceMs: number; signal: AbortSignal | undefined },
): Promise<Answer> {
  const endsAt = Date.now() + patienceMs;
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await call();
    } catch (error) {
      const retryAfterMs = error instanceof RendioError ? (error.retryAfterMs ?? 0) : 0;
      const waitMs = Math.max(retryAfterMs, backoffMs(attempts, BACKOFF));
      if (signal?.aborted || !isRetryable(error) || Date.now() + waitMs > endsAt) throw error;
      await delay(waitMs, signal);
      throwIfAborted(signal);
    }
  }
}
