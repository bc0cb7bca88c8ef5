import type { Stripe } from 'stripe';
import { z } from 'zod';
import type { Clock } from '../../kernel/clock.ts';
import type { Payment, Payments } from '../port.ts';
import { milliunitsOf, percentageOf } from './amounts.ts';
import { createClient, type StripeAccess } from './client.ts';
import { failureOf } from './failure.ts';
import { purchaseIn } from './metadata.ts';

const Intent = z.object({
  id: z.string(),
  status: z.string(),
  created: z.int(),
  livemode: z.boolean(),
  amount_received: z.int(),
  currency: z.string(),
  metadata: z.unknown(),
});
const Refunds = z.array(z.object({ amount: z.int().min(0), status: z.string().nullish() }));
const Disputes = z.array(
  z.object({
    amount: z.int().min(0),
    status: z.string(),
    balance_transactions: z.array(z.object({ amount: z.int() })).default([]),
  }),
);
type Dispute = z.infer<typeof Disputes>[number];

const PAGE = 100;
/** No payment of ours has so many. */
const PARTS_MAX = 1000;

/** Asks Stripe whose a payment is, and what of it has gone back to the customer by now. */
export async function fetchPayment(
  access: StripeAccess & { clock: Clock },
  transactionId: string,
  signal: AbortSignal,
): ReturnType<Payments['fetchPayment']> {
  try {
    const stripe = await createClient(access, signal);
    const intent = Intent.parse(await stripe.paymentIntents.retrieve(transactionId));
    const purchase = purchaseIn(intent.metadata);
    if (!purchase) return { outcome: 'not_ours', cause: 'has none of our metadata' };
    if (intent.status !== 'succeeded' || intent.amount_received <= 0) return { outcome: 'not_ours', cause: 'not paid' };
    const returned = await fetchReturned(stripe, transactionId);
    const { amount_received: amount, currency } = intent;
    const payment: Payment = {
      environment: intent.livemode ? 'live' : 'test',
      purchase: {
        ...purchase,
        transactionId: intent.id,
        priceMilliunits: milliunitsOf(amount, currency),
        currency,
        paidAt: new Date(intent.created * 1000),
      },
      refundedPercentage: percentageOf(returned, amount),
    };
    return { outcome: 'found', payment };
  } catch (error) {
    const failure = failureOf(error, access.clock);
    if (failure.outcome === 'missing') return { outcome: 'not_ours', cause: 'unknown' };
    if (failure.outcome === 'refused' || failure.outcome === 'unreachable') return failure;
    const cause = failure.outcome === 'declined' ? failure.cause : 'answered about a key';
    return { outcome: 'unreachable', cause, retryAfterMs: null };
  }
}

/** Refunds and disputes are counted apart by Stripe: one payment may have several of both. */
async function fetchReturned(stripe: Stripe, payment_intent: string): Promise<number> {
  const query = { payment_intent, limit: PAGE };
  const [refunds, disputes] = await Promise.all([
    stripe.refunds.list(query).autoPagingToArray({ limit: PARTS_MAX }),
    stripe.disputes.list(query).autoPagingToArray({ limit: PARTS_MAX }),
  ]);
  const refunded = Refunds.parse(refunds).filter(({ status }) => status !== 'failed' && status !== 'canceled');
  const disputed = Disputes.parse(disputes).filter(isTaken);
  return [...refunded, ...disputed].reduce((sum, { amount }) => sum + amount, 0);
}

/** A dispute takes the money when it begins, and gives it back when it is won. An inquiry (`warning_…`) takes none. */
function isTaken({ status, balance_transactions: moved }: Dispute): boolean {
  if (status === 'won' || moved.some(({ amount }) => amount > 0)) return false;
  return moved.some(({ amount }) => amount < 0) || !(status.startsWith('warning_') || status === 'prevented');
}
