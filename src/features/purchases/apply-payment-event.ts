import { sql } from 'kysely';
import type { PaidPurchase, PaymentNotification, PaymentsEnvironment } from '../../payments/port.ts';
import type { Context } from '../context.ts';
import { reportCredited, reportRefund } from './credit.ts';
import { storeProblem } from './store-problem.ts';

type EventContext = Pick<Context, 'db' | 'log' | 'metrics' | 'payments' | 'stopping'>;

const STORE = 'stripe';

/**
 * Does what follows from an event of the web shop's store: credits what was paid, takes back what went back to the customer. Safe to
 * repeat and in any order. Returns the outcome in a word. Throws while the store cannot be asked, so that the queue asks again.
 */
export async function applyPaymentEvent(
  ctx: EventContext,
  { environment, event }: Pick<PaymentNotification, 'environment' | 'event'>,
): Promise<string> {
  switch (event.kind) {
    case 'paid': {
      const outcome = await credit(ctx, environment, event);
      if (!['credited', 'repeated'].includes(outcome)) {
        ctx.metrics.count('rendio_purchases_total', { store: STORE, outcome: 'failed' });
        ctx.log.error(
          { transaction_id: event.transactionId, outcome },
          'a payment was not credited: refund it at Stripe',
        );
      }
      return outcome;
    }
    case 'changed':
      return settle(ctx, event.transactionId);
    case 'none':
      return 'ignored';
  }
}

async function credit(ctx: EventContext, environment: PaymentsEnvironment, purchase: PaidPurchase): Promise<string> {
  const result = await ctx.db.call('credit_purchase', {
    store: STORE,
    environment,
    transaction_id: purchase.transactionId,
    product_id: purchase.productId,
    quantity: purchase.quantity,
    token: purchase.userId,
    purchased_at: purchase.paidAt,
    price_milliunits: purchase.priceMilliunits,
    currency: purchase.currency,
  });
  reportCredited(ctx, STORE, purchase.transactionId, result);
  return result.outcome;
}

/**
 * Makes the credits follow what the store says now. Which answer counts is decided by when it was asked for, by the database's
 * clock: the event of a change comes after the change, so of all answers the one asked for last knows every change. A payment that
 * changed before it was credited is credited first: what remains of it has been paid.
 */
async function settle(ctx: EventContext, transactionId: string): Promise<string> {
  if (!ctx.payments) throw new Error('the key of the web shop is not configured any more');
  const askedAt = await databaseTime(ctx);
  const answer = await ctx.payments.fetchPayment(transactionId, ctx.stopping);
  if (answer.outcome === 'not_ours') return 'not_ours';
  if (answer.outcome !== 'found') throw await storeProblem(ctx, answer);
  const { environment, purchase, refundedPercentage } = answer.payment;
  await credit(ctx, environment, purchase);
  const result = await ctx.db.call('refund_purchase', {
    store: STORE,
    environment,
    transaction_id: transactionId,
    decided_at: askedAt,
    is_refund: refundedPercentage > 0,
    percentage: refundedPercentage,
    is_total: true,
  });
  reportRefund(ctx, STORE, transactionId, result);
  return result.outcome;
}

/** One clock for all servers. Two questions in the same millisecond have the same answer: an event takes longer than that. */
async function databaseTime({ db }: Pick<Context, 'db'>): Promise<Date> {
  const now = sql<Date>`clock_timestamp()`.as('now');
  return (await db.read.selectNoFrom(now).executeTakeFirstOrThrow()).now;
}
