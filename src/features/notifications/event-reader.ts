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

export type StoredEvent = UserEvent & { id: number };

/** A stored file (`<bucket>/<path>`) and a token that gives access to it from now on. */
export type SignedFile = { key: string; token: string };

/** Events per query; a stream that is far behind needs several. */
const PAGE_ROWS = 100;

/** Returns a user's next events after an id, oldest first, and whether there may be more. */
export async function readEvents(
  ctx: Pick<Context, 'db' | 'mediaSigner'>,
  userId: string,
  afterId: number,
): Promise<{ events: StoredEvent[]; hasMore: boolean }> {
  const rows = await readRows(ctx, userId, afterId);
  const events = rows.map(async ({ video_path, thumbnail_path, ...row }) => ({
    ...row,
    video: await sign(ctx, 'videos', video_path),
    thumbnail: await sign(ctx, 'thumbnails', thumbnail_path),
  }));
  return { events: await Promise.all(events), hasMore: rows.length === PAGE_ROWS };
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
