/**
 * Reads Stripe's events. Only what does not depend on the order of events is believed: that a checkout was paid. Of refunds and
 * disputes an event only says that something has changed: `created` has whole seconds, events arrive in any order, one names one
 * refund and not their sum, and its shape is that of the webhook's API version.
 */
import { z } from 'zod';
import type { PaidPurchase, PaymentEvent, PaymentNotification } from '../port.ts';
import { milliunitsOf } from './amounts.ts';
import { metadataOf, purchaseIn } from './metadata.ts';

/** An id, or the object that it names. */
const reference = z
  .union([z.string(), z.object({ id: z.string() }).transform(({ id }) => id)])
  .nullish()
  .transform((id) => id ?? null);

const Envelope = z.object({
  id: z.string().regex(/^[\x21-\x7e]{1,200}$/),
  object: z.literal('event'),
  type: z.string().regex(/^[\x21-\x7e]{1,100}$/),
  created: z.int().min(0).max(1e11),
  livemode: z.boolean(),
  /** Set for events of other accounts, which a platform is told of. */
  account: z.string().nullish(),
  data: z.object({ object: z.unknown() }),
});
type Envelope = z.infer<typeof Envelope>;

const Session = z.object({
  mode: z.string().nullish(),
  payment_status: z.string().nullish(),
  payment_intent: reference,
  // For statistics: a payment counts without them.
  amount_total: z.int().nullish().catch(null),
  currency: z
    .string()
    .regex(/^[a-z]{3}$/)
    .nullish()
    .catch(null),
  metadata: z.unknown(),
});
/** A charge, a refund or a dispute. */
const Part = z.object({ payment_intent: reference });

const PAID = ['checkout.session.completed', 'checkout.session.async_payment_succeeded'];
const CHANGED = /^(?:charge\.refunded|charge\.refund\.updated|refund\.\w+|charge\.dispute\.\w+)$/;
const PAYMENT_ID = /^[\x21-\x7e]{1,200}$/;
const NONE: PaymentEvent = { kind: 'none' };

/** Null: it is not an event in this form (but a thin one, say). `isLive`: the mode of our key; events of the other are not ours. */
export function readEvent(json: unknown, isLive: boolean): PaymentNotification | null {
  const envelope = Envelope.safeParse(json).data;
  if (!envelope) return null;
  const isOurs = envelope.livemode === isLive && !envelope.account;
  const { event, object } = isOurs ? readObject(envelope) : { event: NONE, object: {} };
  const { id, type, created, livemode } = envelope;
  return {
    id,
    type,
    environment: livemode ? 'live' : 'test',
    signedAt: new Date(created * 1000),
    event,
    record: JSON.stringify({ id, object: 'event', type, created, livemode, data: { object } }),
  };
}

/** `object`: the fields that were read, to be kept. An event without effect keeps none. */
function readObject({ type, created, data }: Envelope): { event: PaymentEvent; object: object } {
  if (PAID.includes(type)) {
    const session = Session.safeParse(data.object).data;
    const purchase = session && paidIn(session, new Date(created * 1000));
    if (purchase) return { event: { kind: 'paid', ...purchase }, object: keptOf(session) };
  }
  const transactionId = CHANGED.test(type) ? paymentOf(Part.safeParse(data.object).data) : null;
  if (transactionId === null) return { event: NONE, object: {} };
  return { event: { kind: 'changed', transactionId }, object: { payment_intent: transactionId } };
}

/** A checkout of ours that is paid. One that waits for a bank is completed first and paid by a later event. */
function paidIn(session: z.infer<typeof Session>, paidAt: Date): PaidPurchase | null {
  const purchase = purchaseIn(session.metadata);
  const transactionId = paymentOf(session);
  const isPaid = session.payment_status === 'paid' && (session.mode ?? 'payment') === 'payment';
  if (!purchase || !isPaid || transactionId === null) return null;
  const { amount_total: amount, currency } = session;
  const price =
    typeof amount === 'number' && currency ? { priceMilliunits: milliunitsOf(amount, currency), currency } : UNPRICED;
  return { ...purchase, transactionId, ...price, paidAt };
}

const UNPRICED = { priceMilliunits: null, currency: null };

function paymentOf(object: z.infer<typeof Part> | undefined): string | null {
  const id = object?.payment_intent ?? '';
  return PAYMENT_ID.test(id) ? id : null;
}

function keptOf(session: z.infer<typeof Session>): object {
  const purchase = purchaseIn(session.metadata);
  return { ...session, metadata: purchase && metadataOf(purchase) };
}
