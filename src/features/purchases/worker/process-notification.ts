import type { AppStoreNotification, AppStoreTransaction } from '../../../apple/app-store/port.ts';
import type { Context } from '../../context.ts';
import { creditTransaction, reportRefund } from '../credit.ts';
import type { NotificationContext } from '../notification.ts';
import { whyDisqualified } from '../qualify.ts';
import { answerConsumptionRequest } from './answer-consumption-request.ts';

/**
 * Does what a recorded notification of the App Store says, in whatever order notifications arrive. Safe to repeat: the database
 * compares before it moves credits. Throws while Apple gives no verdict, so that the queue tries again.
 */
export async function processAppStoreNotification(ctx: NotificationContext, notificationId: string): Promise<void> {
  const row = await ctx.db.read
    .selectFrom('store_notifications')
    .select(['payload', 'processed_at'])
    .where('store', '=', 'apple')
    .where('notification_id', '=', notificationId)
    .executeTakeFirst();
  if (!row || row.processed_at !== null || row.payload === null) return;
  if (!ctx.appStore) throw new Error('the keys of the App Store are not configured any more');
  const verified = await ctx.appStore.verifyNotification(row.payload);
  if (verified.outcome === 'unreachable') throw new Error(`no verdict on a notification: ${verified.cause}`);
  const outcome = verified.outcome === 'valid' ? await effectOf(ctx, verified.value) : 'not_verifiable';
  await ctx.db.call('finish_store_notification', { store: 'apple', notification_id: notificationId, outcome });
  ctx.log.info({ event: 'store_notification_processed', outcome }, 'a notification of the App Store was processed');
}

/** Returns what has followed, in a word for operators. */
async function effectOf(ctx: NotificationContext, notification: AppStoreNotification): Promise<string> {
  const { transaction, type, unusable } = notification;
  if (!transaction) return unusable === null ? 'no_transaction' : 'unusable_transaction';
  switch (type) {
    case 'ONE_TIME_CHARGE':
      return credit(ctx, transaction);
    case 'REFUND':
    case 'REVOKE':
      return refund(ctx, notification, transaction);
    case 'REFUND_REVERSED': {
      const outcome = await refund(ctx, notification, transaction);
      return outcome === 'not_credited' ? credit(ctx, transaction) : outcome;
    }
    case 'CONSUMPTION_REQUEST':
      return answerConsumptionRequest(ctx, transaction);
    default:
      return 'ignored';
  }
}

async function credit(
  ctx: Pick<Context, 'db' | 'log' | 'metrics' | 'policy'>,
  transaction: AppStoreTransaction,
): Promise<string> {
  const disqualified = whyDisqualified(transaction, ctx.policy);
  if (disqualified) return `disqualified_${disqualified}`;
  return (await creditTransaction(ctx, transaction, { callerId: null })).outcome;
}

async function refund(
  ctx: Pick<Context, 'db' | 'log'>,
  { type, signedAt }: AppStoreNotification,
  { environment, transactionId, revocationPercentage }: AppStoreTransaction,
): Promise<string> {
  const isRefund = type !== 'REFUND_REVERSED';
  const result = await ctx.db.call('refund_purchase', {
    store: 'apple',
    environment,
    transaction_id: transactionId,
    decided_at: signedAt,
    is_refund: isRefund,
    percentage: isRefund ? revocationPercentage : null,
  });
  reportRefund(ctx, 'apple', transactionId, result);
  return result.outcome;
}
