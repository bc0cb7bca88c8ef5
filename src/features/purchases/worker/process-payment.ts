import type { Context } from '../../context.ts';
import { applyPaymentEvent } from '../apply-payment-event.ts';

/**
 * Does what a recorded notification of the web shop's store says, once. Safe to repeat. Throws while the store cannot be asked, so
 * that the queue tries again.
 */
export async function processPaymentNotification(
  ctx: Pick<Context, 'db' | 'log' | 'metrics' | 'payments' | 'stopping'>,
  notificationId: string,
): Promise<void> {
  const row = await ctx.db.read
    .selectFrom('store_notifications')
    .select(['payload', 'processed_at'])
    .where('store', '=', 'stripe')
    .where('notification_id', '=', notificationId)
    .executeTakeFirst();
  if (!row || row.processed_at !== null || row.payload === null) return;
  if (!ctx.payments) throw new Error('the key of the web shop is not configured any more');
  const outcome = await applyPaymentEvent(ctx, ctx.payments.readNotification(row.payload));
  await ctx.db.call('finish_store_notification', { store: 'stripe', notification_id: notificationId, outcome });
  ctx.log.info({ event: 'store_notification_processed', outcome }, 'a notification of Stripe was processed');
}
