import type { ErrorCode } from '../../../kernel/errors.ts';
import type { DeclineReason } from '../../../providers/provider.ts';
import type { Context } from '../../context.ts';

/**
 * Fails a generation and refunds it, once. False: it had already ended. `reason` selects the message for its owner; `cause` is
 * for operators.
 */
export async function failGeneration(
  ctx: Pick<Context, 'db' | 'log' | 'metrics'>,
  jobId: string,
  code: ErrorCode,
  cause: string,
  reason?: DeclineReason,
): Promise<boolean> {
  const hasFailed = await ctx.db.call('fail_generation', { job_id: jobId, error_code: code, cause, reason });
  if (hasFailed) reportFailed(ctx, jobId, code);
  return hasFailed;
}

/** Why a generation is not sent again: still `retryable` on the last try, or `declined`. */
export type AttemptFailure = {
  state: 'retryable' | 'declined';
  code: ErrorCode;
  cause: string;
  reason?: DeclineReason;
};

/**
 * Closes an attempt and fails its generation in one transaction. False: the attempt had been closed or accepted before, and the
 * generation goes on.
 */
export async function failAttempt(
  ctx: Pick<Context, 'db' | 'log' | 'metrics'>,
  jobId: string,
  attemptId: string,
  { state, code, cause, reason }: AttemptFailure,
): Promise<boolean> {
  const { outcome } = await ctx.db.call('fail_attempt', {
    attempt_id: attemptId,
    state,
    error_code: code,
    cause,
    reason,
  });
  if (outcome === 'failed') reportFailed(ctx, jobId, code);
  return outcome !== 'closed';
}

function reportFailed({ log, metrics }: Pick<Context, 'log' | 'metrics'>, jobId: string, code: ErrorCode): void {
  metrics.count('rendio_errors_total', { code });
  log.warn({ event: 'video_generation_error', job_id: jobId, code }, 'generation failed');
  log.info({ event: 'credits_refunded', job_id: jobId, code }, 'a failed generation was refunded');
}
