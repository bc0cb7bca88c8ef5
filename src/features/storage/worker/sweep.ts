import { sql } from 'kysely';
import type { Context } from '../../context.ts';
import { deleteFiles } from '../delete-files.ts';

/** An upload that has not finished after this long was cut off. */
const ABANDONED_AFTER = sql`interval '1 hour'`;
const UNUSED_DAYS = 30;
/** Rows per sweep; the next sweep follows within the hour. */
const BATCH = 500;

/** Removes images that were not used for a month, and files and rows that a crash left behind. */
export async function sweepUploads(
  ctx: Pick<Context, 'db' | 'log' | 'media'>,
): Promise<{ expired: number; removed: number }> {
  const expired = await ctx.db.call('expire_uploads', { unused_days: UNUSED_DAYS, limit: BATCH });
  const leftovers = await ctx.db.read
    .selectFrom('uploads')
    .select(['id', 'file'])
    .where('stored_at', 'is', null)
    .where('updated_at', '<', sql<Date>`now() - ${ABANDONED_AFTER}`)
    .orderBy('updated_at')
    .limit(BATCH)
    .execute();
  return { expired, removed: await deleteFiles(ctx, leftovers) };
}
