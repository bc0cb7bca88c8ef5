/** What the worker does for generations. Every handler may run twice, or be killed anywhere and run again. */
import { z } from 'zod';
import type { Tasks } from '../../queue/worker.ts';
import type { Context } from '../context.ts';
import { confirmAttempt } from './confirm.ts';
import { settleGeneration } from './settle.ts';
import { stopGeneration } from './stop.ts';
import { submitGeneration } from './submit.ts';

const JobPayload = z.object({ job_id: z.uuid() });
const ConfirmPayload = JobPayload.extend({ provider_job_id: z.string(), look: z.int().min(1) });

export function generationTasks(ctx: Context): Tasks {
  return {
    submit_generation: (payload, { signal }) => submitGeneration(ctx, JobPayload.parse(payload).job_id, signal),
    settle_generation: (payload, { signal }) => settleGeneration(ctx, JobPayload.parse(payload).job_id, signal),
    confirm_attempt: (payload, { signal }) => {
      const { job_id: jobId, provider_job_id: providerJobId, look } = ConfirmPayload.parse(payload);
      return confirmAttempt(ctx, { jobId, providerJobId, look }, signal);
    },
    stop_generation: (payload, { signal }) => stopGeneration(ctx, JobPayload.parse(payload).job_id, signal),
  };
}
