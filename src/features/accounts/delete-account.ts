import { Problem } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';

/** Rows of each kind in one statement. */
const BATCH = 500;
/** Hundreds of thousands of rows: the rest of a larger account is left to the queue. */
const BATCHES_AT_ONCE = 100;

/**
 * Deletes the account at once and for good: sessions, running generations (refunded), files, and what names the person. What a
 * crash leaves behind is removed by the queue. Throws ERR_4005 if it is deleted already.
 */
export async function deleteAccount(ctx: Pick<Context, 'db' | 'log'>, userId: string): Promise<void> {
  const deletedId = await ctx.db.call('delete_account', { user_id: userId });
  if (deletedId === null) throw new Problem('ERR_4005');
  ctx.log.info({ event: 'account_deleted', user_id: deletedId }, 'an account was deleted');
  // The account is gone whether this finishes now or in the queue.
  await eraseAccount(ctx, deletedId, BATCHES_AT_ONCE).catch((error) => {
    ctx.log.warn({ user_id: deletedId, error: Object(error).name }, 'a deleted account is erased by the queue');
  });
}

/** Removes what the rows of a deleted account say about the person, in batches. Returns whether nothing is left. */
export async function eraseAccount(
  ctx: Pick<Context, 'db'>,
  userId: string,
  batchesMax = Number.POSITIVE_INFINITY,
): Promise<boolean> {
  for (let batch = 0; batch < batchesMax; batch += 1) {
    if ((await ctx.db.call('erase_account', { user_id: userId, limit: BATCH })) === 0) return true;
  }
  return false;
}
