import type { Context } from '../../context.ts';
import { alertMessage } from './alert-message.ts';

/**
 * Sends an alert to each receiver that does not have it. Throws if one cannot be reached, so that the queue tries again; those that have
 * it do not get it twice. Without receivers, the alert stays in the database alone.
 */
export async function sendAlert(
  ctx: Pick<Context, 'alertReceivers' | 'db' | 'log'>,
  alertId: string,
  signal: AbortSignal,
): Promise<void> {
  const alert = await ctx.db.read
    .selectFrom('alerts')
    .select(['id', 'kind', 'subject', 'details', 'sent_to', 'created_at'])
    .where('id', '=', alertId)
    .executeTakeFirst();
  if (!alert) return;
  const { id, kind, subject, sent_to: sentTo, created_at: raisedAt } = alert;
  const message = { id, kind, subject, raisedAt, ...alertMessage(alert) };
  const waiting = ctx.alertReceivers.filter(({ name }) => !sentTo.includes(name));
  const failed = await Promise.all(
    waiting.map(async (receiver) => {
      const result = await receiver.send(message, signal);
      if (result.outcome === 'sent') {
        await ctx.db.call('mark_alert_sent', { alert_id: id, receiver: receiver.name });
        return [];
      }
      ctx.log.warn({ receiver: receiver.name, kind, cause: result.cause }, 'an alert could not be sent');
      return [receiver.name];
    }),
  );
  if (failed.flat().length > 0) throw new Error(`an alert did not reach ${failed.flat().join(' and ')}`);
}
