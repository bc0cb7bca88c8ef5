import type { Context } from '../context.ts';

/** The id of the events that a new stream begins with. A client that is cut off among them begins again. */
export const SNAPSHOT_ID = 'beginning';

export type UserEvent = {
  id: number | typeof SNAPSHOT_ID;
  type: string;
  job_id: string | null;
  data: unknown;
  created_at: Date;
};

export type StoredEvent = UserEvent & { id: number };

/** Events per query; a stream that is far behind needs several. */
const PAGE_ROWS = 100;

/** Returns a user's next events after an id, oldest first, and whether there may be more. */
export async function readEvents(
  ctx: Pick<Context, 'db'>,
  userId: string,
  afterId: number,
): Promise<{ events: StoredEvent[]; hasMore: boolean }> {
  const events = await ctx.db.read
    .selectFrom('user_events')
    .select(['id', 'type', 'job_id', 'data', 'created_at'])
    .where('user_id', '=', userId)
    .where('id', '>', afterId)
    .orderBy('id')
    .limit(PAGE_ROWS)
    .execute();
  return { events, hasMore: events.length === PAGE_ROWS };
}

export type StartingPoint = { afterId: number; isResumed: boolean };

/**
 * Where a stream begins: after `lastId`, if the user still has that event (or `lastId` is 0, before all events). After any other
 * id, of another account or of an event that was pruned, events would be missing: such a stream begins anew.
 */
export async function startingPoint(
  ctx: Pick<Context, 'db'>,
  userId: string,
  lastId: number | null,
): Promise<StartingPoint> {
  if (lastId === 0 || (lastId !== null && (await hasEvent(ctx, userId, lastId)))) {
    return { afterId: lastId, isResumed: true };
  }
  const latest = await ctx.db.read
    .selectFrom('user_events')
    .select('id')
    .where('user_id', '=', userId)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return { afterId: latest?.id ?? 0, isResumed: false };
}

async function hasEvent(ctx: Pick<Context, 'db'>, userId: string, id: number): Promise<boolean> {
  const row = await ctx.db.read
    .selectFrom('user_events')
    .select('id')
    .where('user_id', '=', userId)
    .where('id', '=', id)
    .executeTakeFirst();
  return row !== undefined;
}
