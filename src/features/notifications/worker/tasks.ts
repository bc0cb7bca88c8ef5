import type { Tasks } from '../../../queue/worker.ts';
import type { Context } from '../../context.ts';
import { createWebhookSender } from './send-webhooks.ts';

export function notificationTasks(ctx: Pick<Context, 'clock' | 'db' | 'log' | 'stopping' | 'webhookReceiver'>): Tasks {
  const sendWebhooks = createWebhookSender(ctx);
  return {
    send_webhooks: (_payload, { signal }) => sendWebhooks(signal),
  };
}

/** In graphile-worker's crontab format. For what a worker that died has left, and what was held back. */
export const NOTIFICATIONS_CRONTAB = '* * * * * send_webhooks ?jobKey=send_webhooks';
