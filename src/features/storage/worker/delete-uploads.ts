import type { Context } from '../../context.ts';
import { deleteFiles } from '../delete-files.ts';

/** More than an account may store. */
const FILES_MAX = 1_000;

/** Deletes the files of a deleted account, whose rows are hidden already. Throws if some are left, so that the queue tries again. */
export async function deleteUploadsOf(ctx: Pick<Context, 'db' | 'log' | 'media'>, userId: string): Promise<void> {
  const rows = await ctx.db.read
    .selectFrom('uploads')
    .innerJoin('users', 'users.id', 'uploads.user_id')
    .select(['uploads.id', 'uploads.file'])
    .where('uploads.user_id', '=', userId)
    .where('uploads.stored_at', 'is', null)
    .where('users.deleted_at', 'is not', null)
    .limit(FILES_MAX)
    .execute();
  const deleted = await deleteFiles(ctx, rows);
  if (deleted < rows.length)
    throw new Error(`${rows.length - deleted} files of a deleted account could not be deleted yet`);
}
