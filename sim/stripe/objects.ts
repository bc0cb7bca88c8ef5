/** Stripe's objects as JSON: the fields that callers of a shop read, under their names of version 2026-10-28. */
import { type Dispute, type Payment, type Refund, refundedOf, type Session, type Store } from './store.ts';

export type StripeObject = { id: string; object: string } & Record<string, unknown>;

export function sessionJson(session: Session, { isLive }: Store): StripeObject {
  const { id, url, params, amount, currency, status, isPaid, created, payment } = session;
  return {
    id,
    object: 'checkout.session',
    amount_subtotal: amount,
    amount_total: amount,
    cancel_url: params.cancel_url ?? null,
    client_reference_id: params.client_reference_id ?? null,
    created,
    currency,
    customer: null,
    // Of nobody: a real one has the customer's.
    customer_details: payment ? { email: 'jenny.rosen@example.com', name: 'Jenny Rosen' } : null,
    expires_at: created + 86_400,
    livemode: isLive,
    metadata: params.metadata,
    mode: params.mode,
    payment_intent: payment?.id ?? null,
    payment_status: isPaid ? 'paid' : 'unpaid',
    status,
    success_url: params.success_url,
    url: status === 'open' ? url : null,
  };
}

export function paymentJson(payment: Payment, { isLive }: Store): StripeObject {
  const { id, amount, currency, status, metadata, created, chargeId } = payment;
  return {
    id,
    object: 'payment_intent',
    amount,
    amount_received: status === 'succeeded' ? amount : 0,
    created,
    currency,
    latest_charge: status === 'requires_payment_method' ? null : chargeId,
    livemode: isLive,
    metadata,
    status,
  };
}

export function chargeJson(payment: Payment, { isLive }: Store): StripeObject {
  const { id, amount, currency, status, metadata, created, chargeId, disputes } = payment;
  return {
    id: chargeId,
    object: 'charge',
    amount,
    amount_refunded: refundedOf(payment),
    created,
    currency,
    disputed: disputes.length > 0,
    livemode: isLive,
    metadata,
    paid: status === 'succeeded',
    payment_intent: id,
    refunded: refundedOf(payment) === amount,
    status: status === 'succeeded' ? 'succeeded' : 'failed',
  };
}

export function refundJson({ id, amount, status, created }: Refund, payment: Payment): StripeObject {
  const { chargeId: charge, currency, id: payment_intent } = payment;
  const metadata = {};
  return { id, object: 'refund', amount, charge, created, currency, metadata, payment_intent, status };
}

export function disputeJson(dispute: Dispute, payment: Payment, { isLive }: Store): StripeObject {
  const { id, amount, status, created, moved } = dispute;
  return {
    id,
    object: 'dispute',
    amount,
    balance_transactions: moved.map((change) => ({ object: 'balance_transaction', amount: change, fee: 1500 })),
    charge: payment.chargeId,
    created,
    currency: payment.currency,
    livemode: isLive,
    metadata: {},
    payment_intent: payment.id,
    reason: 'fraudulent',
    status,
  };
}
