import { withLogFields } from '../../../kernel/log-scope.ts';
import type { Context } from '../../context.ts';
import { traceParentOf } from '../trace-parent.ts';

/** Runs a task of a generation: its lines have the job's id, and its span belongs to the trace of the call that began the job. */
export async function withJob(
  ctx: Pick<Context, 'db' | 'tracer'>,
  task: string,
  jobId: string,
  work: () => Promise<void>,
): Promise<void> {
  const parent = ctx.tracer.isOn ? await traceParentOf(ctx, jobId) : null;
  const attributes = { 'rendio.job_id': jobId };
  return withLogFields({ job_id: jobId }, () => ctx.tracer.span(task, { kind: 'consumer', parent, attributes }, work));
}
