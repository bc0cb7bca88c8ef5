import type { Context } from '../../context.ts';
import { logViolations } from './log-violations.ts';

/** The first notes how far the ledger goes, the second checks up to there. */
const PASSES_MIN = 2;

/**
 * Checks the money rules over what has changed since the last check, and logs each new violation as an error, once. Costs what
 * the changes cost. Where another process is at it, or writes that began earlier still run, the next check does the rest.
 */
export async function checkChanges(ctx: Pick<Context, 'db' | 'log'>, signal: AbortSignal): Promise<void> {
  for (let pass = 1; !signal.aborted; pass += 1) {
    const checked = await ctx.db.call('check_changes', {});
    if (checked === null) return;
    logViolations(ctx, checked.new);
    if (!checked.has_advanced || (pass >= PASSES_MIN && !checked.is_limited)) return;
  }
}
