import { Problem } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';

/** `body`: the text that was signed, unchanged. */
export type StripeDelivery = { body: string; signature: string | null };

/**
 * Records an event of Stripe's once, for the worker; one without effect is recorded and not processed. Throws ERR_4005 (401) for
 * what Stripe has not signed, ERR_4006 for a signed event of another form, ERR_4017 without a web shop.
 */
export async function receiveStripeWebhook(
  ctx: Pick<Context, 'db' | 'log' | 'payments'>,
  { body, signature }: StripeDelivery,
): Promise<void> {
  if (!ctx.payments) throw new Problem('ERR_4017', { details: { feature: 'web-shop' } });
  const notification = await ctx.payments.verifyWebhook(body, signature);
  if (notification === null) {
    ctx.log.warn({ is_signed: signature !== null }, 'a webhook of Stripe was refused: it could not be verified');
    throw new Problem('ERR_4005', { details: { reason: 'signature' } });
  }
  if (notification === 'unreadable') {
    ctx.log.error({}, 'Stripe sends events in another form: its webhook endpoint needs the payload style Snapshot');
    throw new Problem('ERR_4006', { details: { field: 'body' } });
  }
  const { id, type, signedAt, environment, event, record } = notification;
  const isNew = await ctx.db.call('record_store_notification', {
    store: 'stripe',
    notification_id: id,
    type,
    signed_at: signedAt,
    payload: record,
    environment,
    transaction_id: event.kind === 'none' ? null : event.transactionId,
    outcome: event.kind === 'none' ? 'ignored' : null,
  });
  ctx.log.info({ notification_id: id, type, kind: event.kind, is_new: isNew }, 'an event of Stripe was received');
}
