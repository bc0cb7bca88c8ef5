/** Repeats calls that are safe to repeat. */
import type { Clock } from './clock.ts';
import { sleep } from './sleep.ts';

/** The result of one try. `retryAfterMs` is the wait that the server asked for. */
export type TryResult<T> = { answer: T; isRetryable: boolean; retryAfterMs: number | null };

/** Replaced in tests. `random` returns a number from 0 up to 1. `sleep` resolves early when the signal aborts. */
export type RetryTools = {
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  random(): number;
};

export type Backoff = { baseMs: number; maxMs: number };
export type RetryPolicy = Backoff & {
  triesMax: number;
  /** Null: the call has a timeout of its own. */
  tryTimeoutMs: number | null;
};

/** For calls to vendors in the background, where no user waits for the result. */
export const VENDOR_RETRIES: RetryPolicy = { triesMax: 4, baseMs: 2_000, maxMs: 30_000, tryTimeoutMs: 30_000 };

/** At most this share of a wait is added to it, so that calls that failed together are not repeated together. */
const JITTER = 0.25;

const RETRYABLE_STATUSES = new Set([408, 429, 500, 502, 503, 504]);

export function isRetryableStatus(status: number): boolean {
  return RETRYABLE_STATUSES.has(status);
}

/** `Retry-After` in either of its forms, seconds or a date; null if it is missing or invalid. */
export function retryAfterMsOf(headers: Headers, clock: Clock): number | null {
  const text = headers.get('retry-after')?.trim() ?? '';
  if (/^\d{1,8}$/.test(text)) return Number(text) * 1000;
  const at = text === '' ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - clock.now().getTime());
}

export const systemRetryTools: RetryTools = {
  sleep,
  random: () => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32,
};

/** The wait after the `tries`th try: doubling from `baseMs` to `maxMs`, with jitter. */
export function backoffMs(tries: number, { baseMs, maxMs }: Backoff, random: () => number): number {
  return Math.min(baseMs * 2 ** (tries - 1), maxMs) * (1 + JITTER * random());
}

/**
 * Tries until a result is not retryable or the policy allows no more tries; returns the last result. Waits as long as the
 * server asks for; a wait longer than `maxMs` ends the tries. `tryOnce` must not throw. An aborted signal ends them at once.
 */
export async function retry<T>(
  tryOnce: (signal: AbortSignal) => Promise<TryResult<T>>,
  tools: RetryTools,
  signal: AbortSignal,
  policy: RetryPolicy = VENDOR_RETRIES,
): Promise<TryResult<T>> {
  const { triesMax, maxMs, tryTimeoutMs } = policy;
  for (let tries = 1; ; tries += 1) {
    const limit = tryTimeoutMs === null ? signal : AbortSignal.any([signal, AbortSignal.timeout(tryTimeoutMs)]);
    const result = await tryOnce(limit);
    if (!result.isRetryable || tries === triesMax || signal.aborted) return result;
    const waitMs = Math.max(Math.min(backoffMs(tries, policy, tools.random), maxMs), result.retryAfterMs ?? 0);
    // For a longer wait, the caller schedules a retry of its own.
    if (waitMs > maxMs) return result;
    await tools.sleep(waitMs, signal);
    if (signal.aborted) return result;
  }
}
