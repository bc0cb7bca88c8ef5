/** The one policy by which a call that is safe to repeat is repeated. */
import type { Clock } from './clock.ts';
import { pause } from './pause.ts';

/** What one try came to. `retryAfterMs`: the other side asks for that wait. */
export type Tried<T> = { answer: T; isRetryable: boolean; retryAfterMs: number | null };

/** What a test replaces. `random` gives 0 up to 1. `sleep` resolves early when the signal aborts. */
export type RetryTools = {
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  random(): number;
};

export type Backoff = { baseMs: number; maxMs: number };
export type RetryPolicy = Backoff & {
  triesMax: number;
  /** Null: a try ends by itself. */
  tryTimeoutMs: number | null;
};

/** For vendors, when no person waits for the answer. */
export const VENDOR_RETRIES: RetryPolicy = { triesMax: 4, baseMs: 2_000, maxMs: 30_000, tryTimeoutMs: 30_000 };

/** Of the wait, at most, on top of it, so that calls that failed together do not come back together. */
const JITTER = 0.25;

const RETRYABLE_STATUSES = new Set([408, 429, 500, 502, 503, 504]);

export function isRetryableStatus(status: number): boolean {
  return RETRYABLE_STATUSES.has(status);
}

/** `Retry-After` in either of its forms; null where it says nothing usable. */
export function retryAfterMsOf(headers: Headers, clock: Clock): number | null {
  const text = headers.get('retry-after')?.trim() ?? '';
  if (/^\d{1,8}$/.test(text)) return Number(text) * 1000;
  const at = text === '' ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - clock.now().getTime());
}

export const systemRetryTools: RetryTools = {
  sleep: pause,
  random: () => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32,
};

/** The wait after the `tries`th try: doubling from `baseMs` to `maxMs`, with jitter. */
export function backoffMs(tries: number, { baseMs, maxMs }: Backoff, random: () => number): number {
  return Math.min(baseMs * 2 ** (tries - 1), maxMs) * (1 + JITTER * random());
}

/**
 * Tries until an answer is not retryable or the policy ends; gives the last try. Waits as long as the other side asks for; a wait
 * longer than `maxMs` ends the tries. `tryOnce` does not throw. An aborted signal ends it at once, with the last try.
 */
export async function retry<T>(
  tryOnce: (signal: AbortSignal) => Promise<Tried<T>>,
  tools: RetryTools,
  signal: AbortSignal,
  policy: RetryPolicy = VENDOR_RETRIES,
): Promise<Tried<T>> {
  const { triesMax, maxMs, tryTimeoutMs } = policy;
  for (let tries = 1; ; tries += 1) {
    const limit = tryTimeoutMs === null ? signal : AbortSignal.any([signal, AbortSignal.timeout(tryTimeoutMs)]);
    const tried = await tryOnce(limit);
    if (!tried.isRetryable || tries === triesMax || signal.aborted) return tried;
    const waitMs = Math.max(Math.min(backoffMs(tries, policy, tools.random), maxMs), tried.retryAfterMs ?? 0);
    // The caller asks again by a task of its own.
    if (waitMs > maxMs) return tried;
    await tools.sleep(waitMs, signal);
    if (signal.aborted) return tried;
  }
}
