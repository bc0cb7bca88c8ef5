/** Delays, timeouts and backoff. */
import { abortReason, throwIfAborted } from './abort.ts';
import { RendioError } from './errors.ts';

/** A request took longer than it may. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

/** A longer timer would fire at once. */
const DELAY_MAX_MS = 2 ** 31 - 1;

/** Resolves after `ms`, or at once when one of the signals aborts. Never rejects. */
export function delay(ms: number, ...signals: (AbortSignal | undefined)[]): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      for (const signal of signals) signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, Math.min(ms, DELAY_MAX_MS));
    for (const signal of signals) {
      if (signal?.aborted) return end();
      signal?.addEventListener('abort', end);
    }
  });
}

/**
 * How long to wait after this many failures: doubles from `baseMs` to `maxMs`, with ±25 % jitter so that clients do not
 * all retry at the same moment.
 */
export function backoffMs(failures: number, { baseMs, maxMs }: { baseMs: number; maxMs: number }): number {
  return Math.min(baseMs * 2 ** Math.min(failures - 1, 30), maxMs) * (0.75 + Math.random() / 2);
}

/**
 * Calls `work` with a signal that aborts with `signal`, or after `timeoutMs`. Rejects as soon as it aborts: with the reason of
 * `signal`, or with a TimeoutError.
 */
export async function withTimeout<Result>(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  throwIfAborted(signal);
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let onAbort = () => {};
  const stopped = new Promise<never>((_, reject) => {
    const stop = (reason: unknown) => {
      // Rejected first: in some runtimes a signal does not carry its reason.
      reject(reason);
      controller.abort(reason);
    };
    timer = setTimeout(() => stop(new TimeoutError('The request timed out.')), Math.min(timeoutMs, DELAY_MAX_MS));
    onAbort = () => signal && stop(abortReason(signal));
    signal?.addEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([stopped, work(controller.signal)]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Settles as `promise` does, or rejects with the signal's reason as soon as it aborts. */
export function untilAborted<Result>(promise: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(abortReason(signal));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** After a 4xx the answer will rarely change soon: retry once a minute. */
const REFUSED_RETRY_MS = 60_000;

/** How long to wait after this error before the next request; `usualMs` unless the error calls for longer. */
export function retryDelayMs(error: unknown, usualMs: number): number {
  if (!(error instanceof RendioError)) return usualMs;
  const isRefusal = error.status < 500 && error.status !== 429 && error.status !== 408;
  return Math.max(error.retryAfterMs ?? 0, isRefusal ? REFUSED_RETRY_MS : usualMs);
}
