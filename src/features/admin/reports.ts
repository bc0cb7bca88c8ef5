import type { Context } from '../context.ts';
import { type AdminCall, answerOf, byOf, type ChangeAnswer } from './change.ts';

export type ReportsPage = {
  limit: number;
  afterSeq: number | null;
  jobId: string | undefined;
  /** Whose video was reported. */
  userId: string | undefined;
  reporterUserId: string | undefined;
  isHandled: boolean | undefined;
};

const COLUMNS = [
  'id',
  'seq',
  'job_id',
  'user_id',
  'reporter_user_id',
  'source',
  'reason',
  'created_at',
  'handled_at',
] as const;

/** A page of what users have reported, newest first. Each filter that is given alone has an index, in this order. */
export async function listReports(ctx: Pick<Context, 'db'>, page: ReportsPage) {
  const { limit, afterSeq, jobId, userId, reporterUserId, isHandled } = page;
  let query = ctx.db.read
    .selectFrom('reports')
    .select(COLUMNS)
    .orderBy('seq', 'desc')
    .limit(limit + 1);
  if (afterSeq !== null) query = query.where('seq', '<', afterSeq);
  if (jobId !== undefined) query = query.where('job_id', '=', jobId);
  if (userId !== undefined) query = query.where('user_id', '=', userId);
  if (reporterUserId !== undefined) query = query.where('reporter_user_id', '=', reporterUserId);
  if (isHandled !== undefined) query = query.where('handled_at', isHandled ? 'is not' : 'is', null);
  const rows = await query.execute();
  const reports = rows.slice(0, limit);
  return { reports, nextSeq: rows.length > limit ? (reports.at(-1)?.seq ?? null) : null };
}

/** Marks a report as handled; a repeat changes nothing but is noted. Throws ERR_4007 for an unknown report. */
export async function handleReport(
  ctx: Pick<Context, 'db'>,
  call: AdminCall,
  fields: { report_id: string; reason: string },
): Promise<ChangeAnswer> {
  const result = await ctx.db.call('admin_handle_report', { by: await byOf(call, fields), ...fields });
  return answerOf(result, 'report_id');
}
