import type { Context } from '../context.ts';

/** Where the call that began a generation is in its trace; null: it was not traced, or there is no such generation. */
export async function traceParentOf({ db }: Pick<Context, 'db'>, jobId: string): Promise<string | null> {
  const job = await db.read
    .selectFrom('video_jobs')
    .select('trace_parent')
    .where('job_id', '=', jobId)
    .executeTakeFirst();
  return job?.trace_parent ?? null;
}
