/** The worker's tasks for generations. Every handler may run twice, or be killed at any point and run again. */
import { z } from 'zod';
import type { TaskHandler, Tasks } from '../../../queue/worker.ts';
import type { Context } from '../../context.ts';
import { cleanUpGeneration } from './clean-up.ts';
import { confirmAttempt } from './confirm.ts';
import { pollGeneration } from './poll.ts';
import { submitGeneration } from './submit.ts';
import { withJob } from './with-job.ts';

const JobPayload = z.object({ job_id: z.uuid() });
/** `look` is the name of `try` in the version before this one. */
const ConfirmPayload = JobPayload.extend({
  provider_job_id: z.string(),
  try: z.int().min(1).optional(),
  look: z.int().min(1).optional(),
});

export function generationTasks(ctx: Context): Tasks {
  const forJob = (name: string, handle: (jobId: string, signal: AbortSignal) => Promise<void>): TaskHandler => {
    return (payload, { signal }) => {
      const { job_id: jobId } = JobPayload.parse(payload);
      return withJob(ctx, name, jobId, () => handle(jobId, signal));
    };
  };
  return {
    submit_generation: forJob('submit_generation', (jobId, signal) => submitGeneration(ctx, jobId, signal)),
    poll_generation: forJob('poll_generation', (jobId, signal) => pollGeneration(ctx, jobId, signal)),
    confirm_attempt: (payload, { signal }) => {
      const { job_id: jobId, provider_job_id: providerJobId, ...counted } = ConfirmPayload.parse(payload);
      const tries = counted.try ?? counted.look ?? 1;
      return withJob(ctx, 'confirm_attempt', jobId, () => confirmAttempt(ctx, { jobId, providerJobId, tries }, signal));
    },
    clean_up_generation: forJob('clean_up_generation', (jobId, signal) => cleanUpGeneration(ctx, jobId, signal)),
  };
}
