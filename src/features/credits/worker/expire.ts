import type { Context } from '../../context.ts';

/** Accounts in one statement: short enough to hold no other work up. */
const BATCH = 100;

/** Expires the credits whose time is over, with a ledger row for each lot. Spending checks it too, so a late run costs nothing. */
export async function expireLots(ctx: Pick<Context, 'db' | 'log'>, signal: AbortSignal): Promise<void> {
  let accounts = 0;
  for (;;) {
    const batch = await ctx.db.call('expire_due_lots', { limit: BATCH });
    accounts += batch;
    if (batch === 0 || signal.aborted) break;
  }
  if (accounts > 0) ctx.log.info({ accounts }, 'credits have expired');
}
