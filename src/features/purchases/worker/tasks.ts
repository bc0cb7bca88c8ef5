/** The worker's tasks for purchases. Every handler may run twice. */
import { z } from 'zod';
import type { Tasks } from '../../../queue/worker.ts';
import type { Context } from '../../context.ts';
import { HEAL_DAYS, type HealContext, healPurchases } from './heal.ts';
import { processAppStoreNotification } from './process-notification.ts';
import { processPaymentNotification } from './process-payment.ts';

const NotificationPayload = z.object({ store: z.enum(['apple', 'stripe']), notification_id: z.string() });

export function purchaseTasks(ctx: HealContext & Pick<Context, 'payments' | 'stopping'>): Tasks {
  return {
    process_store_notification: (payload) => {
      const { store, notification_id: id } = NotificationPayload.parse(payload);
      return store === 'apple' ? processAppStoreNotification(ctx, id) : processPaymentNotification(ctx, id);
    },
    heal_purchases: async (_payload, { signal }) => {
      await healPurchases(ctx, HEAL_DAYS, signal);
    },
  };
}

/** In graphile-worker's crontab format: once a day. */
export const PURCHASES_CRONTAB = '41 4 * * * heal_purchases';
