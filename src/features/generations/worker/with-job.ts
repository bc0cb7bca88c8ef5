import { withLogFields } from '../../../kernel/log-scope.ts';
import type { Context } from '../../context.ts';
import { begunBy } from '../begun-by.ts';

/**
 * Runs a task of a generation: its lines have the ids of the job and of the request that began it, and its span belongs to that
 * request's trace.
 */
export async function withJob(
  ctx: Pick<Context, 'db' | 'tracer'>,
  task: string,
  jobId: string,
  work: () => Promise<void>,
): Promise<void> {
  const { requestId, traceParent: parent } = await begunBy(ctx, jobId);
  const attributes = { 'rendio.job_id': jobId };
  return withLogFields({ job_id: jobId, ...(requestId === null ? {} : { request_id: requestId }) }, () =>
    ctx.tracer.span(task, { kind: 'consumer', parent, attributes }, work),
  );
}
