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

/** Why a generation is not sent (again): it was turned away for the last time, or declined for good. */
export type AttemptFailure = { state: 'refused' | 'rejected'; code: ErrorCode; cause: string; reason?: DeclineReason };

/**
 * Closes an attempt and ends its generation with it, in one step: whoever dies here has done both or nothing. False where
 * the attempt had been closed, or accepted, before; then the generation goes on.
 */
export async function failAttempt(
  ctx: Context,
  jobId: string,
  attemptId: string,
  { state, code, cause, reason }: AttemptFailure,
): Promise<boolean> {
  const { outcome } = await ctx.db.call<{ outcome: 'failed' | 'final' | 'closed' }>('fail_attempt', {
    attempt_id: attemptId,
    state,
    error_code: code,
    cause,
    reason: reason ?? null,
  });
  if (outcome === 'failed') ctx.log.warn({ job_id: jobId, code }, 'generation failed; its credits are back');
  return outcome !== 'closed';
}
