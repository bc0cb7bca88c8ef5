import type { Context } from '../context.ts';

export type HistoryPage = { limit: number; afterSeq: number | null };

/** Returns a page of an account's ledger, newest first. `nextSeq` leads to the next page; every page costs the same. */
export async function readHistory(ctx: Pick<Context, 'db'>, userId: string, { limit, afterSeq }: HistoryPage) {
  let query = ctx.db.read
    .selectFrom('quota_log')
    .select(['id', 'seq', 'change', 'reason', 'balance_after', 'job_id', 'created_at'])
    .where('user_id', '=', userId)
    .orderBy('seq', 'desc')
    .limit(limit + 1);
  if (afterSeq !== null) query = query.where('seq', '<', afterSeq);
  const rows = await query.execute();
  const page = rows.slice(0, limit);
  return { transactions: page, nextSeq: rows.length > limit ? (page.at(-1)?.seq ?? null) : null };
}
