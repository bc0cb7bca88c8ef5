import { accountTasks } from '../features/accounts/worker/tasks.ts';
import { ADMIN_CRONTAB, adminTasks } from '../features/admin/worker/tasks.ts';
import type { Context } from '../features/context.ts';
import { CREDITS_CRONTAB, creditTasks } from '../features/credits/worker/tasks.ts';
import { generationTasks } from '../features/generations/worker/tasks.ts';
import { MAINTENANCE_CRONTAB, maintenanceTasks } from '../features/maintenance/worker/tasks.ts';
import { pushTasks } from '../features/notifications/worker/push-tasks.ts';
import { NOTIFICATIONS_CRONTAB, notificationTasks } from '../features/notifications/worker/tasks.ts';
import { PURCHASES_CRONTAB, purchaseTasks } from '../features/purchases/worker/tasks.ts';
import { STORAGE_CRONTAB, storageTasks } from '../features/storage/worker/tasks.ts';
import type { Tasks } from '../queue/worker.ts';

/** The task handlers of all slices. */
export function allTasks(ctx: Context): Tasks {
  return {
    ...accountTasks(ctx),
    ...adminTasks(ctx),
    ...creditTasks(ctx),
    ...generationTasks(ctx),
    ...maintenanceTasks(ctx),
    ...notificationTasks(ctx),
    ...purchaseTasks(ctx),
    ...pushTasks(ctx),
    ...storageTasks(ctx),
  };
}

export const CRONTAB = [
  ADMIN_CRONTAB,
  CREDITS_CRONTAB,
  MAINTENANCE_CRONTAB,
  NOTIFICATIONS_CRONTAB,
  PURCHASES_CRONTAB,
  STORAGE_CRONTAB,
].join('\n');
