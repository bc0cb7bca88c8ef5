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
      const Stripe = await loadStripe();
      try {
        // Deno has no synchronous HMAC.
        const provider = Stripe.createSubtleCryptoProvider();
        const now = clock.now().getTime();
        const event = await Stripe.webhooks.constructEventAsync(
          body,
          signature ?? '',
          webhookSecret,
          TOLERANCE_SECONDS,
          provider,
          now,
        );
        return readEvent(event, isLive) ?? 'unreadable';
      } catch (error) {
        // Everything else is thrown behind the check of the signature: no JSON, or a thin event.
        return error instanceof Stripe.errors.StripeSignatureVerificationError ? null : 'unreadable';
      }
    },

    readNotification(record) {
      const notification = readEvent(JSON.parse(record), isLive);
      if (!notification) throw new Error('the record of a notification cannot be read');
      return notification;
    },
  };
}
