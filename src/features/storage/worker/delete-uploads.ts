import { sql } from 'kysely';
import type { Context } from '../../context.ts';
import { deleteFiles } from '../delete-files.ts';

/** Deletes the files of a deleted account, whose rows are hidden already. Throws if some are left, so that the queue tries again. */
export async function deleteHiddenUploads(ctx: Pick<Context, 'db' | 'log' | 'media'>, ids: string[]): Promise<void> {
  const rows = await ctx.db.read
    .selectFrom('uploads')
    .select(['id', 'file'])
    .where('id', '=', sql<string>`any(${ids})`)
    .where('stored_at', 'is', null)
    .execute();
  const deleted = await deleteFiles(ctx, rows);
  if (deleted < rows.length)
    throw new Error(`${rows.length - deleted} files of a deleted account could not be deleted yet`);
}
