import type { Tasks } from '../../../queue/worker.ts';
import type { Context } from '../../context.ts';
import { pruneLogs } from './prune.ts';
import { reconcile } from './reconcile.ts';

export function maintenanceTasks(ctx: Pick<Context, 'db' | 'log'>): Tasks {
  return {
    prune_logs: (_payload, { signal }) => pruneLogs(ctx, signal),
    reconcile: async (_payload, { signal }) => {
      await reconcile(ctx, signal);
    },
  };
}

/** In graphile-worker's crontab format: once an hour, at different minutes. */
export const MAINTENANCE_CRONTAB = ['17 * * * * prune_logs', '7 * * * * reconcile'].join('\n');
