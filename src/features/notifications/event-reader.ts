import type { Context } from '../context.ts';

/** The id of the events that a new stream begins with. A client that is cut off among them begins again. */
export const SNAPSHOT_ID = 'beginning';

export type UserEvent = {
  id: number | typeof SNAPSHOT_ID;
  type: string;
  job_id: string | null;
  data: unknown;
  created_at: Date;
  /** The files of a completed job that was not deleted since. */
  video: SignedFile | null;
  thumbnail: SignedFile | null;
};

/** A stored file (`<bucket>/<path>`) and a token that gives access to it from now on. */
export type SignedFile = { key: string; token: string };

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
  ctx: Pick<Context, 'db' | 'mediaSigner'>,
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
      const rows = await readRows(ctx, userId, sentId);
      for (const { video_path, thumbnail_path, ...row } of rows) {
        const video = await sign(ctx, 'videos', video_path);
        const thumbnail = await sign(ctx, 'thumbnails', thumbnail_path);
        if (!(await send({ ...row, video, thumbnail }))) return;
        sentId = row.id;
      }
      hasMore ||= rows.length === PAGE_ROWS;
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

function readRows(ctx: Pick<Context, 'db'>, userId: string, afterId: number) {
  return ctx.db.read
    .selectFrom('user_events as event')
    .leftJoin('video_jobs as job', (join) =>
      join.onRef('job.job_id', '=', 'event.job_id').on('event.type', '=', 'completed').on('job.deleted_at', 'is', null),
    )
    .select(['event.id', 'event.type', 'event.job_id', 'event.data', 'event.created_at'])
    .select(['job.video_url as video_path', 'job.thumbnail_url as thumbnail_path'])
    .where('event.user_id', '=', userId)
    .where('event.id', '>', afterId)
    .orderBy('event.id')
    .limit(PAGE_ROWS)
    .execute();
}

async function sign(
  { mediaSigner }: Pick<Context, 'mediaSigner'>,
  bucket: string,
  path: string | null,
): Promise<SignedFile | null> {
  const key = `${bucket}/${path}`;
  return path === null ? null : { key, token: await mediaSigner.sign(key) };
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
