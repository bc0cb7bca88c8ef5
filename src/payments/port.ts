/** A store on the web, beside the App Store: a page at which credits are bought, and events about what was paid. */

/** How many of a product one checkout may be for; more would be a mistake. */
export const QUANTITY_MAX = 100;

export type CheckoutRequest = {
  userId: string;
  productId: string;
  displayName: string;
  quantity: number;
  /** The price of one, in the smallest unit of the currency. */
  priceCents: number;
  currency: string;
  /** Where the store's page leads back to. */
  successUrl: string;
  cancelUrl: string;
  /** Repeats with this key open the same checkout. */
  idempotencyKey: string;
};

export type PaymentsEnvironment = 'live' | 'test';

/** A purchase that was paid. `transactionId`: the store's payment, by which it is credited once and refunds find it. */
export type PaidPurchase = {
  transactionId: string;
  userId: string;
  productId: string;
  quantity: number;
  /** In thousandths of the currency's unit. */
  priceMilliunits: number | null;
  currency: string | null;
  paidAt: Date;
};

/**
 * `changed`: money went back to the customer, or came from there again: a refund, one that failed, a dispute, its end. Such
 * events come in any order and name one part each, so `fetchPayment` says what is true now. `none`: nothing follows from it.
 */
export type PaymentEvent =
  | ({ kind: 'paid' } & PaidPurchase)
  | { kind: 'changed'; transactionId: string }
  | { kind: 'none' };

export type PaymentNotification = {
  id: string;
  type: string;
  environment: PaymentsEnvironment;
  signedAt: Date;
  event: PaymentEvent;
  /** What `readNotification` needs of it, and nothing about the customer. */
  record: string;
};

/** A payment of our own checkout, as it is now. */
export type Payment = {
  environment: PaymentsEnvironment;
  purchase: PaidPurchase;
  /** The share that has gone back to the customer, in thousandths of a percent, 0 to 100,000. */
  refundedPercentage: number;
};

/** `refused`: the store does not accept our key. `unreachable`: no usable answer; try again. */
export type PaymentFailure = { outcome: 'refused' | 'unreachable'; cause: string; retryAfterMs: number | null };

export type Payments = {
  /** A price of the catalogue in the currency's own unit: 299 is 2.99 in `usd`, and 299 in `jpy`. */
  priceOf(priceCents: number, currency: string): number;
  /** `declined`: the store does not sell this. `key_reused`: the key was used for another checkout. */
  createCheckout(
    request: CheckoutRequest,
    signal: AbortSignal,
  ): Promise<
    | { outcome: 'created'; url: string }
    | { outcome: 'declined'; cause: string }
    | { outcome: 'key_reused' }
    | PaymentFailure
  >;
  /**
   * Verifies a webhook by its signature; null: it is not the store's. The body is compared byte for byte. `unreadable`: the store
   * signed it, and it is no event that this server understands.
   */
  verifyWebhook(body: string, signature: string | null): Promise<PaymentNotification | 'unreadable' | null>;
  /** What a recorded notification says; for processing it once more. Throws for what was not recorded by this store. */
  readNotification(record: string): PaymentNotification;
  /** Asks the store about a payment. `not_ours`: it is not known there, not paid, or not from our checkout. */
  fetchPayment(
    transactionId: string,
    signal: AbortSignal,
  ): Promise<{ outcome: 'found'; payment: Payment } | { outcome: 'not_ours'; cause: string } | PaymentFailure>;
};
