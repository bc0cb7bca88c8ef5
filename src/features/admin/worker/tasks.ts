import type { Tasks } from '../../../queue/worker.ts';
import type { Context } from '../../context.ts';
import { countDays } from './count-days.ts';

export function adminTasks(ctx: Pick<Context, 'db'>): Tasks {
  return { count_days: (_payload, { signal }) => countDays(ctx, signal) };
}

/** In graphile-worker's crontab format: every minute; at most one waits. */
export const ADMIN_CRONTAB = '* * * * * count_days ?jobKey=count_days';
