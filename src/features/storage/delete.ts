import type { UploadRow } from '../../db/procedures.ts';
import { parseObjectPath } from '../../media/object-path.ts';
import type { Context } from '../context.ts';
import { deleteFiles } from './delete-files.ts';

/** Deletes the user's uploads among these paths and returns them. A job that has not sent its image yet then fails. */
export async function deleteUploads(
  ctx: Pick<Context, 'db' | 'log' | 'media'>,
  userId: string,
  names: string[],
): Promise<UploadRow[]> {
  const paths = names.map((name) => parseObjectPath(name)?.path).filter((path) => path !== undefined);
  if (paths.length === 0) return [];
  const rows = await ctx.db.call('remove_uploads', { user_id: userId, paths });
  await deleteFiles(ctx, rows);
  return rows;
}
