/** The worker's tasks for generations. Every handler may run twice, or be killed at any point and run again. */
import { z } from 'zod';
import type { Tasks } from '../../../queue/worker.ts';
import type { Context } from '../../context.ts';
import { cleanUpGeneration } from './clean-up.ts';
import { confirmAttempt } from './confirm.ts';
import { pollGeneration } from './poll.ts';
import { submitGeneration } from './submit.ts';

const JobPayload = z.object({ job_id: z.uuid() });
/** `look` is the name of `try` in the version before this one. */
const ConfirmPayload = JobPayload.extend({
  provider_job_id: z.string(),
  try: z.int().min(1).optional(),
  look: z.int().min(1).optional(),
});

export function generationTasks(ctx: Context): Tasks {
  return {
    submit_generation: (payload, { signal }) => submitGeneration(ctx, JobPayload.parse(payload).job_id, signal),
    poll_generation: (payload, { signal }) => pollGeneration(ctx, JobPayload.parse(payload).job_id, signal),
    confirm_attempt: (payload, { signal }) => {
      const { job_id: jobId, provider_job_id: providerJobId, ...counted } = ConfirmPayload.parse(payload);
      return confirmAttempt(ctx, { jobId, providerJobId, tries: counted.try ?? counted.look ?? 1 }, signal);
    },
    clean_up_generation: (payload, { signal }) => cleanUpGeneration(ctx, JobPayload.parse(payload).job_id, signal),
  };
}
