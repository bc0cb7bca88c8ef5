import type { ErrorCode } from '../../kernel/errors.ts';
import type { DeclineReason } from '../../providers/provider.ts';
import type { Context } from '../context.ts';

/**
 * Ends a generation without a video and gives its credits back, once. False when it had ended already. `reason` chooses
 * what its owner is told; `cause` is for our log alone.
 */
export async function failGeneration(
  ctx: Context,
  jobId: string,
  code: ErrorCode,
  cause: string,
  reason?: DeclineReason,
): Promise<boolean> {
  const failed = await ctx.db.call<boolean>('fail_generation', {
    job_id: jobId,
    error_code: code,
    cause,
    reason: reason ?? null,
  });
  if (failed) ctx.log.warn({ job_id: jobId, code }, 'generation failed; its credits are back');
  return failed;
}
