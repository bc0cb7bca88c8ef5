/** Waiting. */
import { RendioError } from './errors.ts';

/** Resolves after `ms`, or at once when one of the signals aborts. Never rejects. */
export function pause(ms: number, ...signals: (AbortSignal | undefined)[]): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      for (const signal of signals) signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    for (const signal of signals) {
      if (signal?.aborted) return end();
      signal?.addEventListener('abort', end);
    }
  });
}

/** How long to wait after the `tries`th failure: doubling from `baseMs` to `maxMs`, spread so that clients do not come back as one. */
export function backoffMs(tries: number, { baseMs, maxMs }: { baseMs: number; maxMs: number }): number {
  return Math.min(baseMs * 2 ** Math.min(tries - 1, 30), maxMs) * (0.75 + Math.random() / 2);
}

/** Hands `work` a signal that aborts with `signal`, or with a TimeoutError after `timeoutMs`; rejects with its reason then. */
export async function withDeadline<Result>(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const stop = () => controller.abort(signal?.reason);
  const timer = setTimeout(() => controller.abort(new DOMException('timed out', 'TimeoutError')), timeoutMs);
  signal?.addEventListener('abort', stop);
  try {
    return await untilAborted(work(controller.signal), controller.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

/** What `promise` resolves with; rejects with the signal's reason as soon as that aborts. */
export function untilAborted<Result>(promise: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** A plain no will not change soon. */
const REFUSED_MS = 60_000;

/** How long to leave the server alone after this error, `usualMs` where there is nothing special about it. */
export function waitMsAfter(error: unknown, usualMs: number): number {
  if (!(error instanceof RendioError)) return usualMs;
  const isRefusal = error.status < 500 && error.status !== 429 && error.status !== 408;
  return Math.max(error.retryAfterMs ?? 0, isRefusal ? REFUSED_MS : usualMs);
}
