import type { Context } from '../context.ts';

/** The id of what a stream begins with: whoever was cut off in the middle of it begins again. */
export const BEGINNING = 'beginning';

export type UserEvent = {
  id: number | typeof BEGINNING;
  type: string;
  job_id: string | null;
  data: unknown;
  created_at: Date;
};

/** A page of a user's events; a stream that is far behind reads several. */
const PAGE = 100;

export type EventFeed = {
  /** Resolves after everything that had happened by then was handed out. */
  pump(): Promise<void>;
};

/**
 * Hands a user's events to `send`, oldest first and each once, from after `lastId`. `send` answers false when nobody
 * listens any more.
 */
export function createFeed(
  ctx: Pick<Context, 'db'>,
  userId: string,
  lastId: number,
  send: (event: UserEvent) => Promise<boolean>,
): EventFeed {
  let seen = lastId;
  let running: Promise<void> | null = null;
  let again = false;

  async function drain(): Promise<void> {
    do {
      again = false;
      const events = await ctx.db.read
        .selectFrom('user_events')
        .select(['id', 'type', 'job_id', 'data', 'created_at'])
        .where('user_id', '=', userId)
        .where('id', '>', seen)
        .orderBy('id')
        .limit(PAGE)
        .execute();
      for (const event of events) {
        if (!(await send(event))) return;
        seen = event.id;
      }
      again ||= events.length === PAGE;
    } while (again);
  }

  return {
    pump() {
      again = true;
      running ??= drain().finally(() => {
        running = null;
      });
      return running;
    },
  };
}

/** Where a stream without a past begins: after all that has happened so far. */
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
