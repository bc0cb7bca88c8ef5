import type { Context } from '../context.ts';
import { BEGINNING, type UserEvent } from './feed.ts';

/** The jobs that are under way, as the events they would have been told by, for a stream that has seen none. */
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
    id: BEGINNING,
    type: row.status === 'pending' ? 'queued' : 'processing',
    job_id: row.job_id,
    data: row.status === 'pending' ? {} : { progress: row.progress, queue_position: row.queue_position },
    created_at: row.created_at,
  }));
}
