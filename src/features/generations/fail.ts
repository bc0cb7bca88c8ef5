import type { ErrorCode } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';

/** Ends a generation without a video and gives its credits back, once. False when it had ended already. */
export async function failGeneration(ctx: Context, jobId: string, code: ErrorCode, cause: string): Promise<boolean> {
  const failed = await ctx.db.call<boolean>('fail_generation', { job_id: jobId, error_code: code, cause });
  if (failed) ctx.log.warn({ job_id: jobId, code }, 'generation failed; its credits are back');
  return failed;
}
