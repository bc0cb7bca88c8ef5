import type { AppStoreNotification } from '../../apple/app-store/port.ts';
import { Problem } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';
import { unavailable } from './store-problem.ts';

export type NotificationContext = Pick<Context, 'appStore' | 'db' | 'log' | 'metrics' | 'policy'>;

/** What the worker acts on; of every other type it is only recorded that it came. */
const PROCESSED = new Set(['ONE_TIME_CHARGE', 'REFUND', 'REVOKE', 'REFUND_REVERSED', 'CONSUMPTION_REQUEST']);

/**
 * Verifies a notification of the App Store and records it, once; the worker does the rest. Throws ERR_4005 (401) for what Apple
 * has not signed for this app, ERR_5006 (503) while that cannot be decided, ERR_4017 (501) without Apple's keys.
 */
export async function receiveNotification(ctx: NotificationContext, signedPayload: string): Promise<void> {
  if (!ctx.appStore) throw new Problem('ERR_4017', { details: { feature: 'purchases' } });
  const answer = await ctx.appStore.verifyNotification(signedPayload);
  if (answer.outcome === 'unreachable') throw unavailable(answer.cause, null);
  if (answer.outcome === 'invalid') {
    ctx.log.warn({ event: 'notification_refused', cause: answer.cause }, 'a notification of the App Store was refused');
    throw new Problem('ERR_4005', { details: { reason: 'signature' } });
  }
  await recordNotification(ctx, answer.value, signedPayload);
}

/** Records a verified notification. Returns whether it is new. */
export async function recordNotification(
  ctx: Pick<Context, 'db' | 'log' | 'policy'>,
  notification: AppStoreNotification,
  signedPayload: string,
): Promise<boolean> {
  const { notificationUuid, type, subtype, environment, signedAt, transaction, unusable } = notification;
  const isNew = await ctx.db.call('record_store_notification', {
    store: 'apple',
    notification_id: notificationUuid,
    type,
    subtype,
    environment,
    signed_at: signedAt,
    transaction_id: transaction?.transactionId ?? null,
    payload: signedPayload,
    outcome: withoutEffect(ctx, notification),
  });
  ctx.log.info({ event: 'store_notification', type, is_new: isNew }, 'a notification of the App Store was received');
  if (isNew && unusable !== null && PROCESSED.has(type))
    ctx.log.error(
      { type, cause: unusable },
      'a notification of the App Store has no effect: its transaction is unusable',
    );
  return isNew;
}

/** Why a notification changes nothing; null: the worker processes it. */
function withoutEffect({ policy }: Pick<Context, 'policy'>, notification: AppStoreNotification): string | null {
  const { type, environment, transaction, unusable } = notification;
  if (!PROCESSED.has(type)) return 'ignored';
  if (!transaction) return unusable === null ? 'no_transaction' : 'unusable_transaction';
  return environment === 'Sandbox' && policy.sandboxPurchases === 'refuse' ? 'sandbox_refused' : null;
}
