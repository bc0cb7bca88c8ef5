import { errorLabel } from '../../kernel/error-code.ts';
import { createSemaphore } from '../../kernel/semaphore.ts';
import { isConfigurationFault } from '../../media/storage-problem.ts';
import type { Context } from '../context.ts';

/** How many files one call deletes at the same time. */
const FILES_AT_ONCE = 8;

/**
 * Deletes the files of uploads that are hidden from their owner, and then the rows. The sweep retries what cannot be deleted
 * now; a row that is in use after all stays. Returns how many were deleted.
 */
export async function deleteFiles(
  ctx: Pick<Context, 'db' | 'log' | 'media'>,
  rows: { id: string; file: string }[],
): Promise<number> {
  const withSlot = createSemaphore(FILES_AT_ONCE);
  const deleted: string[] = [];
  let isStoreAway = false;
  const deleteOne = async ({ id, file }: { id: string; file: string }) => {
    if (isStoreAway) return;
    try {
      await ctx.media.remove(file);
      deleted.push(id);
    } catch (error) {
      ctx.log.warn({ upload_id: id, code: errorLabel(error) }, 'an upload could not be deleted yet');
      // A user who deletes many files would wait for each.
      isStoreAway ||= !isConfigurationFault(error);
    }
  };
  await Promise.all(rows.map((row) => withSlot(() => deleteOne(row))));
  if (deleted.length === 0) return 0;
  try {
    return await ctx.db.call('forget_uploads', { ids: deleted });
  } catch (error) {
    ctx.log.warn({ uploads: deleted.length, code: errorLabel(error) }, 'rows of deleted uploads stay until the sweep');
    return 0;
  }
}
