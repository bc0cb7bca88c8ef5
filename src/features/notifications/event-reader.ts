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

/** Events per query; a stream that is far behind reads several pages. */
const PAGE_ROWS = 100;

export type EventReader = {
  /** Sends the events that are new. Resolves when all that were stored before the call are sent. */
  sendNew(): Promise<void>;
};

/**
 * Passes a user's events to `send`, oldest first and each once, starting after `lastId`. `send` returns false when the
 * stream has ended.
 */
export function createEventReader(
  ctx: Pick<Context, 'db'>,
  userId: string,
  lastId: number,
  send: (event: UserEvent) => Promise<boolean>,
): EventReader {
  let sentId = lastId;
  let running: Promise<void> | null = null;
  let hasMore = false;

  async function sendAll(): Promise<void> {
    do {
      hasMore = false;
      const events = await ctx.db.read
        .selectFrom('user_events')
        .select(['id', 'type', 'job_id', 'data', 'created_at'])
        .where('user_id', '=', userId)
        .where('id', '>', sentId)
        .orderBy('id')
        .limit(PAGE_ROWS)
        .execute();
      for (const event of events) {
        if (!(await send(event))) return;
        sentId = event.id;
      }
      hasMore ||= events.length === PAGE_ROWS;
    } while (hasMore);
  }

  return {
    sendNew() {
      hasMore = true;
      running ??= sendAll().finally(() => {
        running = null;
      });
      return running;
    },
  };
}

/** Returns the id of a user's newest event, after which a new stream begins. */
export async function latestEventId(ctx: Pick<Context, 'db'>, userId: string): Promise<number> {
  const row = await ctx.db.read
    .selectFrom('user_events')
    .select('id')
    .where('user_id', '=', userId)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.id ?? 0;
}
