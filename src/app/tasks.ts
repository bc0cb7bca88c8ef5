import { accountTasks } from '../features/accounts/worker/tasks.ts';
import type { Context } from '../features/context.ts';
import { generationTasks } from '../features/generations/worker/tasks.ts';
import { MAINTENANCE_CRONTAB, maintenanceTasks } from '../features/maintenance/worker/tasks.ts';
import { STORAGE_CRONTAB, storageTasks } from '../features/storage/worker/tasks.ts';
import type { Tasks } from '../queue/worker.ts';

/** The task handlers of all slices. */
export function allTasks(ctx: Context): Tasks {
  return { ...accountTasks(ctx), ...generationTasks(ctx), ...maintenanceTasks(ctx), ...storageTasks(ctx) };
}

export const CRONTAB = [MAINTENANCE_CRONTAB, STORAGE_CRONTAB].join('\n');
