import { Problem } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';
import { type AdminCall, answerOf, byOf, type ChangeAnswer } from './change.ts';

/** Cancels and refunds a generation. Throws ERR_4007 for an unknown one, and ERR_4008 for one that has ended. */
export async function cancelJob(
  ctx: Pick<Context, 'db'>,
  call: AdminCall,
  fields: { job_id: string; reason: string },
): Promise<ChangeAnswer> {
  const result = await ctx.db.call('admin_cancel_job', { by: await byOf(call, fields), ...fields });
  if (result.outcome === 'final') {
    throw new Problem('ERR_4008', { details: { reason: 'finished', status: result.status } });
  }
  return answerOf(result, 'job_id');
}
