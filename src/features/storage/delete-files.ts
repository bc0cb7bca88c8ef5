import { errorLabel } from '../../kernel/error-code.ts';
import { isConfigurationFault } from '../../media/storage-problem.ts';
import type { Context } from '../context.ts';

/**
 * Deletes the files of uploads that are hidden from their owner, and then the rows. The sweep retries what cannot be deleted
 * now; a row that is in use after all stays. Returns how many were deleted.
 */
export async function deleteFiles(
  ctx: Pick<Context, 'db' | 'log' | 'media'>,
  rows: { id: string; file: string }[],
): Promise<number> {
  let deleted = 0;
  for (const { id, file } of rows) {
    try {
      await ctx.media.remove(file);
      if (await ctx.db.call('forget_upload', { id })) deleted += 1;
    } catch (error) {
      ctx.log.warn({ upload_id: id, code: errorLabel(error) }, 'an upload could not be deleted yet');
      // The store is away: a person who deletes many files would wait for each.
      if (!isConfigurationFault(error)) break;
    }
  }
  return deleted;
}
