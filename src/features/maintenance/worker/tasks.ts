import { z } from 'zod';
import type { Tasks } from '../../../queue/worker.ts';
import type { Context } from '../../context.ts';
import { checkChanges } from './check-changes.ts';
import { pruneLogs } from './prune.ts';
import { reconcile } from './reconcile.ts';
import { sendAlert } from './send-alert.ts';

const AlertPayload = z.object({ alert_id: z.uuid() });

export function maintenanceTasks(ctx: Pick<Context, 'alertReceivers' | 'db' | 'log' | 'policy'>): Tasks {
  return {
    check_changes: (_payload, { signal }) => checkChanges(ctx, signal),
    prune_logs: (_payload, { signal }) =>
      pruneLogs(ctx, signal, { jobArchiveDays: ctx.policy.retention.jobArchiveDays }),
    reconcile: async (_payload, { signal }) => {
      await reconcile(ctx, signal);
    },
    send_alert: (payload, help) => sendAlert(ctx, AlertPayload.parse(payload).alert_id, help),
  };
}

/** In graphile-worker's crontab format. Of the check of changes, at most one waits. */
export const MAINTENANCE_CRONTAB = [
  '* * * * * check_changes ?jobKey=check_changes',
  '17 * * * * prune_logs',
  '7 3 * * * reconcile',
].join('\n');
