import { sql } from 'kysely';
import { Problem } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';

export const JOB_STATUSES = ['pending', 'processing', 'completed', 'failed'] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

const COLUMNS = [
  'job_id',
  'seq',
  'status',
  'video_url',
  'thumbnail_url',
  'progress',
  'queue_position',
  'error_code',
  'error_reason',
  'prompt',
  'model_id',
  'model_name',
  'settings',
  'image_url',
  'credits_used',
  'created_at',
  'completed_at',
  'video_removed_at',
] as const;

/** Returns a generation of this user. Throws ERR_4007 for another user's generation as for an unknown one. */
export async function readGeneration(ctx: Pick<Context, 'db'>, userId: string, jobId: string) {
  const row = await ctx.db.read
    .selectFrom('video_jobs')
    .select(COLUMNS)
    .where('job_id', '=', jobId)
    .where('user_id', '=', userId)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  if (!row) throw new Problem('ERR_4007');
  return row;
}

export type GenerationRow = Awaited<ReturnType<typeof readGeneration>>;

export type JobsPage = { limit: number; offset: number; afterSeq: number | null; status: JobStatus | null };

/** Returns a page of an account's generations, newest first. The total is read from job_counters, not counted. */
export async function listGenerations(ctx: Pick<Context, 'db'>, userId: string, page: JobsPage) {
  let query = ctx.db.read
    .selectFrom('video_jobs')
    .select(COLUMNS)
    .where('user_id', '=', userId)
    .where('deleted_at', 'is', null)
    .orderBy('seq', 'desc')
    .limit(page.limit + 1);
  if (page.status) query = query.where('status', '=', page.status);
  query = page.afterSeq === null ? query.offset(page.offset) : query.where('seq', '<', page.afterSeq);
  const [rows, total] = await Promise.all([query.execute(), countGenerations(ctx, userId, page.status)]);
  const jobs = rows.slice(0, page.limit);
  const hasMore = rows.length > page.limit;
  return { jobs, total, hasMore, nextSeq: hasMore ? (jobs.at(-1)?.seq ?? null) : null };
}

async function countGenerations(ctx: Pick<Context, 'db'>, userId: string, status: JobStatus | null): Promise<number> {
  let query = ctx.db.read
    .selectFrom('job_counters')
    .select(sql<number>`coalesce(sum(jobs), 0)`.as('total'))
    .where('user_id', '=', userId);
  if (status) query = query.where('status', '=', status);
  return (await query.executeTakeFirstOrThrow()).total;
}
