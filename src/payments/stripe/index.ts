/** The web shop: Stripe Checkout, by Stripe's own library. */
import type { Clock } from '../../kernel/clock.ts';
import type { Payments } from '../port.ts';
import { milliunitsOf } from './amounts.ts';
import { createCheckout } from './checkout.ts';
import { loadStripe, type StripeAccess } from './client.ts';
import { readEvent } from './events.ts';
import { fetchPayment } from './payment.ts';

export type StripeOptions = Pick<StripeAccess, 'secretKey' | 'fetch'> & {
  /** Of the one webhook endpoint that Stripe has for this server (`whsec_…`). */
  webhookSecret: string;
  baseUrl?: string;
  clock: Clock;
  tryTimeoutMs?: number;
};

const STRIPE_URL = 'https://api.stripe.com';
/** Two tries and the wait between them stay below 20 seconds. */
const TRY_TIMEOUT_MS = 8_000;
/** How old a signature may be. Each delivery of an event is signed anew. */
const TOLERANCE_SECONDS = 300;

/** Nothing is loaded and nothing is sent before the first call. */
export function createStripePayments(options: StripeOptions): Payments {
  const { baseUrl = STRIPE_URL, tryTimeoutMs = TRY_TIMEOUT_MS, webhookSecret, clock } = options;
  const { secretKey, fetch } = options;
  const access = { secretKey, fetch, baseUrl, tryTimeoutMs, clock };
  const isLive = /^[a-z]+_live_/.test(secretKey);

  return {
    priceOf: (priceCents, currency) => milliunitsOf(priceCents, currency) / 1000,
    createCheckout: (request, signal) => createCheckout(access, request, signal),
    fetchPayment: (transactionId, signal) => fetchPayment(access, transactionId, signal),

    async verifyWebhook(body, signature) {
      if (!(await isSigned(body, signature ?? '', webhookSecret, clock))) return null;
      return readEvent(jsonIn(body), isLive) ?? 'unreadable';
    },

    readNotification(record) {
      const notification = readEvent(JSON.parse(record), isLive);
      if (!notification) throw new Error('the record of a notification cannot be read');
      return notification;
    },
  };
}

/** Whatever the library throws, the signature has not been verified: of a malformed one it throws a plain error on Node. */
async function isSigned(body: string, header: string, secret: string, clock: Clock): Promise<boolean> {
  const Stripe = await loadStripe();
  // Deno has no synchronous HMAC.
  const provider = Stripe.createSubtleCryptoProvider();
  const now = clock.now().getTime();
  try {
    return (
      (await Stripe.webhooks.signature?.verifyHeaderAsync(body, header, secret, TOLERANCE_SECONDS, provider, now)) ===
      true
    );
  } catch {
    return false;
  }
}

/** Undefined for what is no JSON. */
function jsonIn(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
