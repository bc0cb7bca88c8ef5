import { sql } from 'kysely';
import type { Context } from '../../context.ts';
import { deleteFiles } from '../delete-files.ts';

/** An upload that has not finished after this long was cut off. */
const ABANDONED_AFTER = sql`interval '1 hour'`;
const UNUSED_DAYS = 30;
/** Rows in one statement: those that are hidden are written anew, into every index. */
const BATCH = 50;
/** After as many batches of which no file could be deleted, the store is away. */
const BATCHES_IN_VAIN_MAX = 3;

/** Removes images that were not used for a month, and files and rows that a crash left behind. */
export async function sweepUploads(
  ctx: Pick<Context, 'db' | 'log' | 'media'>,
  signal: AbortSignal,
): Promise<{ expired: number; removed: number }> {
  let expired = 0;
  for (let rows = BATCH; rows === BATCH && !signal.aborted; expired += rows)
    rows = await ctx.db.call('expire_uploads', { unused_days: UNUSED_DAYS, limit: BATCH });
  return { expired, removed: await removeLeftovers(ctx, signal) };
}

/** Each row once: files that cannot be deleted do not keep the others waiting. */
async function removeLeftovers(ctx: Pick<Context, 'db' | 'log' | 'media'>, signal: AbortSignal): Promise<number> {
  let removed = 0;
  let last: Leftover | undefined;
  for (let inVain = 0; inVain < BATCHES_IN_VAIN_MAX && !signal.aborted; ) {
    const leftovers = await leftoversAfter(ctx, last);
    const deleted = await deleteFiles(ctx, leftovers);
    removed += deleted;
    inVain = deleted === 0 ? inVain + 1 : 0;
    if (leftovers.length < BATCH) break;
    last = leftovers.at(-1);
  }
  return removed;
}

/** `at`: when it was hidden or begun, as text, which keeps microseconds. */
type Leftover = { id: string; file: string; at: string };

function leftoversAfter({ db }: Pick<Context, 'db'>, last: Leftover | undefined): Promise<Leftover[]> {
  return db.read
    .selectFrom('uploads')
    .select(['id', 'file', sql<string>`updated_at::text`.as('at')])
    .where('stored_at', 'is', null)
    .where('updated_at', '<', sql<Date>`now() - ${ABANDONED_AFTER}`)
    .$if(last !== undefined, (uploads) =>
      uploads.where(sql<boolean>`(updated_at, id) > (${last?.at}::timestamptz, ${last?.id}::uuid)`),
    )
    .orderBy('updated_at')
    .orderBy('id')
    .limit(BATCH)
    .execute();
}
