/** Stripe's own library, loaded when it is first needed: a server without a key never loads it. */
import type { Stripe } from 'stripe';

export type StripeAccess = {
  /** A secret key (`sk_…`) or a restricted one (`rk_…`). */
  secretKey: string;
  /** Stripe's documented paths are appended. */
  baseUrl: string;
  fetch: typeof fetch;
  /** For one try, with its body. */
  tryTimeoutMs: number;
};

/** One more, under the same idempotency key: a user waits. */
const RETRIES_MAX = 1;

/** `await import` gives the part of the library that this runtime can run. */
export const loadStripe = async () => (await import('stripe')).Stripe;

/** A client for one piece of work: the library takes no signal with a call. */
export async function createClient(access: StripeAccess, signal: AbortSignal): Promise<Stripe> {
  const { secretKey, fetch, tryTimeoutMs } = access;
  const base = access.baseUrl.replace(/\/+$/, '');
  const Library = await loadStripe();
  // The library has no base URL with a path, follows redirects with our key, and reads no signal but its own.
  const send: typeof fetch = (input, init) => {
    const { pathname, search } = new URL(String(input));
    const signals = [signal, init?.signal].filter((each) => each instanceof AbortSignal);
    return fetch(`${base}${pathname}${search}`, { ...init, redirect: 'error', signal: AbortSignal.any(signals) });
  };
  return new Library(secretKey, {
    httpClient: Library.createFetchHttpClient(send),
    timeout: tryTimeoutMs,
    maxNetworkRetries: RETRIES_MAX,
    // It would write an id of this machine into the user's home.
    telemetry: false,
  });
}
