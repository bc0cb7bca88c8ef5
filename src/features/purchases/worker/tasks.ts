/** The worker's tasks for purchases. Every handler may run twice. */
import { z } from 'zod';
import type { Tasks } from '../../../queue/worker.ts';
import { HEAL_DAYS, type HealContext, healPurchases } from './heal.ts';
import { processAppStoreNotification } from './process-notification.ts';

const NotificationPayload = z.object({ store: z.literal('apple'), notification_id: z.string() });

export function purchaseTasks(ctx: HealContext): Tasks {
  return {
    process_store_notification: (payload) =>
      processAppStoreNotification(ctx, NotificationPayload.parse(payload).notification_id),
    heal_purchases: async (_payload, { signal }) => {
      await healPurchases(ctx, HEAL_DAYS, signal);
    },
  };
}

/** In graphile-worker's crontab format: once a day. */
export const PURCHASES_CRONTAB = '41 4 * * * heal_purchases';
