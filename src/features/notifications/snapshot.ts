import type { Context } from '../context.ts';
import { SNAPSHOT_ID, type UserEvent } from './event-reader.ts';

/** Returns the unfinished jobs as events, for a stream that does not resume. */
export async function snapshotOf(ctx: Pick<Context, 'db'>, userId: string): Promise<UserEvent[]> {
  const rows = await ctx.db.read
    .selectFrom('video_jobs')
    .select(['job_id', 'status', 'progress', 'queue_position', 'created_at'])
    .where('user_id', '=', userId)
    .where('status', 'in', ['pending', 'processing'])
    .where('deleted_at', 'is', null)
    .orderBy('seq')
    .execute();
  return rows.map((row) => ({
    id: SNAPSHOT_ID,
    type: row.status === 'pending' ? 'queued' : 'processing',
    job_id: row.job_id,
    data: row.status === 'pending' ? {} : { progress: row.progress, queue_position: row.queue_position },
    created_at: row.created_at,
    video: null,
    thumbnail: null,
  }));
}
