import type { Context } from '../../context.ts';
import { alertMessage } from './alert-message.ts';

/** As many as `raise_alert` allows: hours. An alert that is older tells of something that the operator knows by now. */
const ATTEMPTS_MAX = 10;

/**
 * Sends an alert to each receiver that does not have it. Throws if one cannot be reached, so that the queue tries again; those that have
 * it do not get it twice. After the last attempt it is given up. Without receivers, the alert stays in the database alone.
 */
export async function sendAlert(
  ctx: Pick<Context, 'alertReceivers' | 'db' | 'log'>,
  alertId: string,
  { signal, attempt }: { signal: AbortSignal; attempt: number },
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
  const receivers = failed.flat();
  if (receivers.length === 0) return;
  if (attempt < ATTEMPTS_MAX) throw new Error(`an alert did not reach ${receivers.join(' and ')}`);
  ctx.log.error({ receivers, kind, subject }, 'an alert was given up: its receivers do not answer');
}
