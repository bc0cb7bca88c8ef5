import type { Context } from '../../context.ts';

/** Rows of each log in one statement: short enough to hold no other work up. */
const BATCH = 1_000;

/** Deletes log rows whose retention has passed, in batches; never an account, a job or a ledger row. */
export async function pruneLogs(ctx: Pick<Context, 'db' | 'log' | 'policy'>, signal: AbortSignal): Promise<void> {
  const pruned: Record<string, number> = {};
  for (;;) {
    const batch = await ctx.db.call('prune_logs', { limit: BATCH, error_log_days: ctx.policy.errorLogDays });
    for (const [kind, rows] of Object.entries(batch)) pruned[kind] = (pruned[kind] ?? 0) + rows;
    // The next run continues what a shutdown interrupts.
    if (signal.aborted || Object.values(batch).every((rows) => rows < BATCH)) break;
  }
  ctx.log.info(pruned, 'logs pruned');
}
