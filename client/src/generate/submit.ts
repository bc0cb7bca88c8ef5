/** Pays for one video once: the request carries an idempotency key until the server's answer is definitive. */

import { throwIfAborted } from '../http/abort.ts';
import { ConnectionError, RendioError } from '../http/errors.ts';
import type { Progress } from '../http/progress.ts';
import { backoffMs, delay } from '../http/timers.ts';
import type { Api } from '../session/api.ts';
import type { GenerateRequest, GenerationStarted } from '../types.ts';
import type { IdempotencyKeys } from './idempotency-keys.ts';

export type Retry = {
  /** Why the last attempt failed. */
  error: ConnectionError | RendioError;
  /** The number of attempts so far. */
  tries: number;
  /** The time until the next attempt, in milliseconds. */
  waitMs: number;
};

export type SubmitOptions = {
  /** Your own key, a UUID. Without it the client makes one, and uses it again for the same request. */
  idempotencyKey?: string;
  /** Stops retrying. The key stays stored: submitting the same request again continues with it. */
  signal?: AbortSignal;
  /** Called when an attempt got no definitive answer, before the next attempt with the same key. */
  onRetry?: (retry: Retry) => void;
  /** Called as `image` is uploaded. */
  onUpload?: (progress: Progress) => void;
  /** How long to retry without an answer, in milliseconds; then the last error is thrown and the key stays stored. */
  patienceMs?: number;
};

export const PATIENCE_MS = 10 * 60_000;
const BACKOFF = { baseMs: 500, maxMs: 8_000 };
/** After this many server errors (5xx) the last one is thrown; the key stays stored for the next submit. */
const SERVER_ERRORS_MAX = 4;

/** Refusals of the request itself. The server sends them only after it has checked whether the key was charged. */
const CODES_AFTER_KEY_CHECK = ['ERR_4001', 'ERR_4002', 'ERR_4003', 'ERR_4006', 'ERR_4009'];

/** Resolves with the job, charged once; throws a refusal. Without a definitive answer it retries with the same key. */
export async function submit(
  { api, idempotencyKeys }: { api: Api; idempotencyKeys: IdempotencyKeys },
  request: GenerateRequest,
  { idempotencyKey, signal, onRetry, patienceMs = PATIENCE_MS }: SubmitOptions = {},
): Promise<GenerationStarted> {
  throwIfAborted(signal);
  const { key, isNew } = await idempotencyKeys.acquire(request, idempotencyKey);
  const endsAt = Date.now() + patienceMs;
  let mayBeCharged = !isNew;
  let serverErrors = 0;
  for (let tries = 1; ; tries += 1) {
    try {
      const headers = { 'Idempotency-Key': key };
      const started = await api.request<GenerationStarted>('generate-video', {
        method: 'POST',
        body: request,
        headers,
        signal,
      });
      await idempotencyKeys.release(key);
      return started;
    } catch (error) {
      if (signal?.aborted) throw error;
      if (!isRequestError(error) || !shouldRetry(error, mayBeCharged)) {
        if (!mayBeCharged || comesAfterKeyCheck(error)) await idempotencyKeys.release(key);
        throw error;
      }
      mayBeCharged = true;
      if (error instanceof RendioError && error.status >= 500) serverErrors += 1;
      const retryAfterMs = error instanceof RendioError ? (error.retryAfterMs ?? 0) : 0;
      const waitMs = Math.max(retryAfterMs, backoffMs(tries, BACKOFF));
      if (serverErrors >= SERVER_ERRORS_MAX || Date.now() + waitMs > endsAt) throw error;
      onRetry?.({ error, tries, waitMs });
      await delay(waitMs, signal);
      throwIfAborted(signal);
    }
  }
}

function isRequestError(error: unknown): error is ConnectionError | RendioError {
  return error instanceof ConnectionError || error instanceof RendioError;
}

/**
 * Whether the request may have been charged, so that the same key must be sent again: no answer or a broken one; 408 (a
 * proxy timed out); 409 with Retry-After (the first attempt still runs); and 5xx, which may come after the commit. Not
 * ERR_5xxx and 501: the server sends these instead of a charge.
 */
function shouldRetry(error: ConnectionError | RendioError, mayBeCharged: boolean): boolean {
  if (error instanceof ConnectionError) return true;
  const { status, code, retryAfterMs } = error;
  if (status >= 500) return status !== 501 && !code.startsWith('ERR_5');
  if (status === 409) return retryAfterMs !== null;
  // The server sends 429 before it checks the key, so it does not tell whether an earlier attempt was charged.
  return status === 408 || (status === 429 && mayBeCharged);
}

/** Whether the answer is definitive even after an attempt that may have been charged. A 401, 403 or 404 is not. */
function comesAfterKeyCheck(error: unknown): boolean {
  return error instanceof RendioError && CODES_AFTER_KEY_CHECK.includes(error.code);
}
