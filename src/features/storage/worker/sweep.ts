import type { Context } from '../../context.ts';
import { deleteFiles } from '../delete-files.ts';

/** Whoever still writes after this long has been cut off long ago. */
const LEFT_BEHIND_MS = 3600_000;
const UNUSED_DAYS = 30;
/** One sweep's share; the next one comes within the hour. */
const BATCH = 500;

/** Removes pictures that nobody has used for a month, and files and rows that a crash left behind. */
export async function sweepUploads(
  ctx: Pick<Context, 'clock' | 'db' | 'log' | 'media'>,
): Promise<{ expired: number; removed: number }> {
  const expired = await ctx.db.call('expire_uploads', { unused_days: UNUSED_DAYS, limit: BATCH });
  const left = await ctx.db.read
    .selectFrom('uploads')
    .select(['id', 'file'])
    .where('stored_at', 'is', null)
    .where('updated_at', '<', new Date(ctx.clock.now().getTime() - LEFT_BEHIND_MS))
    .orderBy('updated_at')
    .limit(BATCH)
    .execute();
  return { expired, removed: await deleteFiles(ctx, left) };
}
