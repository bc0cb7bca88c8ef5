import { errorLabel } from '../../../kernel/error-code.ts';
import { createSemaphore } from '../../../kernel/semaphore.ts';
import type { MediaKey } from '../../../media/store.ts';
import type { Context } from '../../context.ts';

const OBJECTS_AT_ONCE = 8;

/** Removes objects from the store. What cannot be removed now is logged once and left to a later run. Returns how many were removed. */
export async function removeObjects(ctx: Pick<Context, 'log' | 'media'>, keys: readonly MediaKey[]): Promise<number> {
  const withSlot = createSemaphore(OBJECTS_AT_ONCE);
  let removed = 0;
  let failure: unknown;
  const removeOne = async (key: MediaKey) => {
    // A store that is away is not asked for each of them.
    if (failure !== undefined) return;
    try {
      await ctx.media.remove(key);
      removed += 1;
    } catch (error) {
      failure ??= error;
    }
  };
  await Promise.all(keys.map((key) => withSlot(() => removeOne(key))));
  if (failure !== undefined)
    ctx.log.warn({ objects: keys.length - removed, code: errorLabel(failure) }, 'files could not be removed yet');
  return removed;
}
