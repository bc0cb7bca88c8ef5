import type { Context } from '../context.ts';
import { discard } from './discard.ts';
import { parseObjectPath } from './object-path.ts';

type Row = {
  id: string;
  user_id: string;
  path: string;
  content_type: string;
  bytes: number;
  sha256: string;
  created_at: string;
  updated_at: string;
};

/** Removes what of these paths its owner has there, and returns it; a job that has not sent its picture off yet fails. */
export async function removeUploads(ctx: Context, userId: string, names: string[]): Promise<Row[]> {
  const paths = names.map((name) => parseObjectPath(name)?.path).filter((path) => path !== undefined);
  if (paths.length === 0) return [];
  const rows = await ctx.db.call<Row[]>('remove_uploads', { user_id: userId, paths });
  await discard(ctx, rows);
  return rows;
}
