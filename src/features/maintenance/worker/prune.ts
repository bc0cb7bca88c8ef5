import type { Context } from '../../context.ts';

/** Deletes log rows whose retention has passed; never an account, a job or a ledger row. */
export async function pruneLogs(ctx: Pick<Context, 'db' | 'log'>): Promise<void> {
  ctx.log.info(await ctx.db.call('prune_logs', {}), 'logs pruned');
}
