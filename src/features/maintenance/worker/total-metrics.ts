import type { Context } from '../../context.ts';

/** Entries in one statement: short enough to hold no other work up. */
const BATCH = 1_000;

/** Moves what was counted into the totals that metrics show, so that a scrape reads few rows. */
export async function totalMetrics({ db }: Pick<Context, 'db'>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (await db.call('total_metrics', { limit: BATCH })) === BATCH);
}
