/** Pays for one video once: a key goes with the request until the server has said yes or no. */

import { ConnectionError, RendioError } from '../http/errors.ts';
import type { Progress } from '../http/progress.ts';
import { backoffMs, pause } from '../http/timers.ts';
import type { Api } from '../session/api.ts';
import type { GenerateRequest, GenerationStarted } from '../types.ts';
import type { Pendings } from './idempotency-keys.ts';

export type Retry = {
  /** What the try came to. */
  error: ConnectionError | RendioError;
  /** How many tries there were. */
  tries: number;
  /** Until the next, in milliseconds. */
  waitMs: number;
};

export type SubmitOptions = {
  /** A UUID of one's own; without it the client makes one, and finds it again for the same request. */
  idempotencyKey?: string;
  /** Stops trying. The key stays stored: submitting the same request goes on with it. */
  signal?: AbortSignal;
  /** Hears that there was no answer, and of the next try under the same key. */
  onRetry?: (retry: Retry) => void;
  /** Hears how far the upload of `image` is. */
  onUpload?: (progress: Progress) => void;
  /** How long to go on without an answer, in milliseconds; then the last error is thrown and the key stays stored. */
  patienceMs?: number;
};

export const PATIENCE_MS = 10 * 60_000;
const BACKOFF = { baseMs: 500, maxMs: 8_000 };
/** So many failures of the server's in a row are told; the key is kept for the next time. */
const TROUBLES_MAX = 4;

/** Refusals of the request itself. The server says them only after it has looked whether the key was charged. */
const REFUSED_BEHIND_THE_KEY = ['ERR_4001', 'ERR_4002', 'ERR_4003', 'ERR_4006', 'ERR_4009'];

/** Resolves with the job, charged once; throws the refusal. While nobody answers it keeps trying, under the same key. */
export async function submit(
  { api, pendings }: { api: Api; pendings: Pendings },
  request: GenerateRequest,
  { idempotencyKey, signal, onRetry, patienceMs = PATIENCE_MS }: SubmitOptions = {},
): Promise<GenerationStarted> {
  signal?.throwIfAborted();
  const { key, isNew } = await pendings.take(request, idempotencyKey);
  const endsAt = Date.now() + patienceMs;
  let mayBePaid = !isNew;
  let troubles = 0;
  for (let tries = 1; ; tries += 1) {
    try {
      const headers = { 'Idempotency-Key': key };
      const started = await api.ask<GenerationStarted>('generate-video', {
        method: 'POST',
        body: request,
        headers,
        signal,
      });
      await pendings.settle(key);
      return started;
    } catch (error) {
      if (signal?.aborted) throw error;
      if (!isAnswerOrSilence(error) || !mayHelpToRepeat(error, mayBePaid)) {
        if (!mayBePaid || saysOfTheCharge(error)) await pendings.settle(key);
        throw error;
      }
      mayBePaid = true;
      if (error instanceof RendioError && error.status >= 500) troubles += 1;
      const wantedMs = error instanceof RendioError ? (error.retryAfterMs ?? 0) : 0;
      const waitMs = Math.max(wantedMs, backoffMs(tries, BACKOFF));
      if (troubles >= TROUBLES_MAX || Date.now() + waitMs > endsAt) throw error;
      onRetry?.({ error, tries, waitMs });
      await pause(waitMs, signal);
      signal?.throwIfAborted();
    }
  }
}

function isAnswerOrSilence(error: unknown): error is ConnectionError | RendioError {
  return error instanceof ConnectionError || error instanceof RendioError;
}

/**
 * Whether the request may have been charged, or may be being charged, so that the same key has to ask again:
 * silence and broken answers; 408 (a proxy gave up waiting); 409 with Retry-After (the first try still runs); 5xx, which
 * may have come after the commit, but for ERR_5xxx and 501, which are said instead of a charge; and, once an earlier try
 * may have been charged, 429, which is said before the key is looked at.
 */
function mayHelpToRepeat(error: ConnectionError | RendioError, mayBePaid: boolean): boolean {
  if (error instanceof ConnectionError) return true;
  const { status, code, retryAfterMs } = error;
  if (status >= 500) return status !== 501 && !code.startsWith('ERR_5');
  if (status === 409) return retryAfterMs !== null;
  return status === 408 || (status === 429 && mayBePaid);
}

/** Whether the answer settles it although an earlier try may have been charged. A 401, 403 or 404 does not. */
function saysOfTheCharge(error: unknown): boolean {
  return error instanceof RendioError && REFUSED_BEHIND_THE_KEY.includes(error.code);
}
