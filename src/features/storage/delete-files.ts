import { errorLabel } from '../../kernel/error-code.ts';
import type { Context } from '../context.ts';

/**
 * Deletes the files of uploads that are hidden from their owner, and then the rows. What cannot be deleted now is found by the
 * sweep; a row that is in use after all stays. Returns how many are gone.
 */
export async function deleteFiles(
  ctx: Pick<Context, 'db' | 'log' | 'media'>,
  rows: { id: string; file: string }[],
): Promise<number> {
  let gone = 0;
  for (const { id, file } of rows) {
    try {
      await ctx.media.remove(file);
      if (await ctx.db.call('forget_upload', { id })) gone += 1;
    } catch (error) {
      ctx.log.warn({ upload_id: id, code: errorLabel(error) }, 'an upload could not be deleted yet');
    }
  }
  return gone;
}
