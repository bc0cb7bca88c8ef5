/** When a question that is safe to repeat is asked again, for every provider alike. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../kernel/clock.ts';

/** What one try came to. `isPassing`: a later try may do better. `retryAfterMs`: not before that, says the other side. */
export type Tried<T> = { answer: T; isPassing: boolean; retryAfterMs: number | null };

/** What a test replaces. `random` gives 0 up to 1. */
export type RetryTools = {
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  random(): number;
};

const TRIES_MAX = 4;
const BACKOFF_MIN_MS = 2_000;
const BACKOFF_MAX_MS = 30_000;
/** Of the wait, at most, on top of it: those who failed together do not come back together. */
const JITTER = 0.25;
const TRY_TIMEOUT_MS = 30_000;

const PASSING_STATUSES = new Set([408, 429, 500, 502, 503, 504]);

export function isPassingStatus(status: number): boolean {
  return PASSING_STATUSES.has(status);
}

/** `Retry-After` in either of its forms; null where it says nothing usable. */
export function retryAfterMsOf(headers: Headers, clock: Clock): number | null {
  const said = headers.get('retry-after')?.trim() ?? '';
  if (/^\d{1,8}$/.test(said)) return Number(said) * 1000;
  const at = said === '' ? Number.NaN : Date.parse(said);
  return Number.isNaN(at) ? null : Math.max(0, at - clock.now().getTime());
}

export const systemRetryTools: RetryTools = {
  sleep: (ms, signal) => wait(ms, undefined, { signal }),
  random: () => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32,
};

/**
 * Tries up to four times, 30 s each, with 2 s, 4 s and 8 s between, or what the other side asks for up to 30 s; gives the
 * last try. `tryOnce` does not throw. An aborted signal ends it at once, with the try that was made.
 */
export async function retry<T>(
  tryOnce: (signal: AbortSignal) => Promise<Tried<T>>,
  tools: RetryTools,
  signal: AbortSignal,
): Promise<Tried<T>> {
  for (let tries = 1; ; tries += 1) {
    const tried = await tryOnce(AbortSignal.any([signal, AbortSignal.timeout(TRY_TIMEOUT_MS)]));
    if (!tried.isPassing || tries === TRIES_MAX || signal.aborted) return tried;
    const backoffMs = BACKOFF_MIN_MS * 2 ** (tries - 1) * (1 + JITTER * tools.random());
    const waitMs = Math.max(Math.min(backoffMs, BACKOFF_MAX_MS), tried.retryAfterMs ?? 0);
    // Whoever asks for more patience is asked again by a task of its own.
    if (waitMs > BACKOFF_MAX_MS) return tried;
    const isRested = await tools.sleep(waitMs, signal).then(
      () => true,
      () => false,
    );
    if (!isRested) return tried;
  }
}
