import type { AppStoreTransaction } from '../../apple/app-store/port.ts';
import type { ResultOf } from '../../db/database.ts';
import { parseUuid } from '../../kernel/ids.ts';
import type { Context } from '../context.ts';

export type CreditResult = ResultOf<'credit_purchase'>;
/** `callerId`: the account that reports the purchase; null: Apple told us. */
export type Claim = { callerId: string | null; idempotencyKey?: string | null; requestHash?: string | null };

/**
 * Credits an App Store transaction to its owner, once. One that says that it was refunded is settled first: what it has brought
 * is taken back, and what it has not brought stays unbought.
 */
export async function creditTransaction(
  ctx: Pick<Context, 'db' | 'log' | 'metrics'>,
  transaction: AppStoreTransaction,
  { callerId, idempotencyKey = null, requestHash = null }: Claim,
): Promise<CreditResult> {
  const { environment, transactionId, appAccountToken } = transaction;
  if (transaction.revokedAt) {
    const refunded = await ctx.db.call('refund_purchase', {
      store: 'apple',
      environment,
      transaction_id: transactionId,
      // Not when Apple signed this copy: a reversal may be older than the copy, and newer than the refund.
      decided_at: transaction.revokedAt,
      is_refund: true,
      percentage: transaction.revocationPercentage,
    });
    reportRefund(ctx, 'apple', transactionId, refunded);
  }
  const token = appAccountToken === null ? null : parseUuid(appAccountToken);
  // It names an account, but none that we could have made.
  if (appAccountToken !== null && token === null) return { outcome: 'foreign' };
  const result = await ctx.db.call('credit_purchase', {
    store: 'apple',
    environment,
    transaction_id: transactionId,
    product_id: transaction.productId,
    quantity: transaction.quantity ?? 0,
    caller_id: callerId,
    token,
    purchased_at: transaction.purchasedAt,
    price_milliunits: transaction.priceMilliunits,
    currency: transaction.currency,
    idempotency_key: idempotencyKey,
    request_hash: requestHash,
  });
  reportCredited(ctx, 'apple', transactionId, result);
  return result;
}

/** Counts and logs a purchase that was credited just now; of any other result nothing is said. */
export function reportCredited(
  { log, metrics }: Pick<Context, 'log' | 'metrics'>,
  store: 'apple' | 'stripe',
  transactionId: string,
  result: CreditResult,
): void {
  if (result.outcome !== 'credited') return;
  metrics.count('rendio_purchases_total', { store, outcome: 'completed' });
  const { user_id, credits_added: credits } = result;
  log.info(
    { event: 'purchase_completed', store, user_id, credits, transaction_id: transactionId },
    'a purchase was credited',
  );
}

/** Logs what a store's decision about a refund has changed. */
export function reportRefund(
  { log }: Pick<Context, 'log'>,
  store: 'apple' | 'stripe',
  transactionId: string,
  result: ResultOf<'refund_purchase'>,
): void {
  if (result.outcome !== 'taken_back' && result.outcome !== 'given_back') return;
  const { user_id, credits } = result;
  const fields = { store, user_id, credits, transaction_id: transactionId };
  if (result.outcome === 'taken_back') log.info({ event: 'purchase_refunded', ...fields }, 'a purchase was refunded');
  else log.info({ event: 'purchase_refund_reversed', ...fields }, 'a refund of a purchase was reversed');
}
