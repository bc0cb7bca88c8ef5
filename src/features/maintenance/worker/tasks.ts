import { z } from 'zod';
import type { Tasks } from '../../../queue/worker.ts';
import type { Context } from '../../context.ts';
import { checkChanges } from './check-changes.ts';
import { pruneLogs } from './prune.ts';
import { reconcile } from './reconcile.ts';
import { sendAlert } from './send-alert.ts';
import { totalMetrics } from './total-metrics.ts';

const AlertPayload = z.object({ alert_id: z.uuid() });

export function maintenanceTasks(ctx: Pick<Context, 'alertReceivers' | 'db' | 'log' | 'policy'>): Tasks {
  return {
    check_changes: (_payload, { signal }) => checkChanges(ctx, signal),
    prune_logs: (_payload, { signal }) =>
      pruneLogs(ctx, signal, {
        errorLogDays: ctx.policy.errorLogDays,
        jobArchiveDays: ctx.policy.retention.jobArchiveDays,
      }),
    reconcile: async (_payload, { signal }) => {
      await reconcile(ctx, signal);
    },
    total_metrics: (_payload, { signal }) => totalMetrics(ctx, signal),
    send_alert: (payload, help) => sendAlert(ctx, AlertPayload.parse(payload).alert_id, help),
  };
}

/** In graphile-worker's crontab format. Of what runs every minute, at most one waits. */
export const MAINTENANCE_CRONTAB = [
  '* * * * * check_changes ?jobKey=check_changes',
  '* * * * * total_metrics ?jobKey=total_metrics',
  '17 * * * * prune_logs',
  '7 3 * * * reconcile',
].join('\n');
