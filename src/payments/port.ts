/** A store on the web, beside the App Store: a page at which credits are bought, and events about what was paid. */

export type CheckoutRequest = {
  userId: string;
  productId: string;
  displayName: string;
  quantity: number;
  priceCents: number;
  currency: string;
  /** Where the store's page leads back to. */
  successUrl: string;
  cancelUrl: string;
  /** Repeats with this key open the same checkout. */
  idempotencyKey: string;
};

/** `transactionId` is the store's payment, by which a purchase is credited once and refunds find it. */
export type PaymentEvent =
  | {
      kind: 'paid';
      transactionId: string;
      userId: string;
      productId: string;
      quantity: number;
      priceMilliunits: number | null;
      currency: string | null;
      paidAt: Date;
    }
  /** `percentage`: the share that is refunded by now, in thousandths of a percent. */
  | { kind: 'refunded'; transactionId: string; percentage: number; decidedAt: Date }
  /** A refund that failed, or a dispute that was won. */
  | { kind: 'refund_reversed'; transactionId: string; decidedAt: Date }
  | { kind: 'none' };

export type PaymentNotification = {
  id: string;
  type: string;
  environment: 'live' | 'test';
  signedAt: Date;
  event: PaymentEvent;
};

export type PaymentFailure = { outcome: 'refused' | 'unreachable'; cause: string; retryAfterMs: number | null };

export type Payments = {
  createCheckout(
    request: CheckoutRequest,
    signal: AbortSignal,
  ): Promise<{ outcome: 'created'; url: string } | { outcome: 'declined'; cause: string } | PaymentFailure>;
  /** Verifies a webhook by its signature; null: it is not the store's. The body is compared byte for byte. */
  verifyWebhook(body: string, signature: string | null): Promise<PaymentNotification | null>;
  /** What a recorded notification says; for processing it once more. */
  readNotification(body: string): PaymentNotification;
};
