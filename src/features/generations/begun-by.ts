import type { Context } from '../context.ts';

/** The call that began a generation: its request id, and where it is in its trace. Null: unknown, or it was not traced. */
export type BegunBy = { requestId: string | null; traceParent: string | null };

export async function begunBy({ db }: Pick<Context, 'db'>, jobId: string): Promise<BegunBy> {
  const job = await db.read
    .selectFrom('video_jobs')
    .select(['request_id', 'trace_parent'])
    .where('job_id', '=', jobId)
    .executeTakeFirst();
  return { requestId: job?.request_id ?? null, traceParent: job?.trace_parent ?? null };
}
