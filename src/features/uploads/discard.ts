import { type UploadRow, uploadKey } from '../../media/picture-key.ts';
import type { Context } from '../context.ts';

/**
 * Removes the files of rows that their owner sees no more, and then the rows. What cannot be removed now is found by the
 * sweep; a row that is in use after all keeps its row.
 */
export async function discard(ctx: Context, rows: UploadRow[]): Promise<number> {
  let gone = 0;
  for (const row of rows) {
    try {
      await ctx.media.remove(uploadKey(row));
      if (await ctx.db.call<boolean>('forget_upload', { id: row.id })) gone += 1;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
      ctx.log.warn({ upload_id: row.id, code }, 'a picture could not be removed yet');
    }
  }
  return gone;
}
