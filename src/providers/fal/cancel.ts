import type { GenerationRequest } from '../provider.ts';
import { isVendorId } from '../vendor-id.ts';
import type { Fal } from './context.ts';

/** Too late, or not there: there is nothing left to stop. */
const NOTHING_TO_STOP = new Set([400, 404, 410]);

/** Asks fal to take the job out of its queue. One that runs already may run on, and is billed. */
export async function cancel(
  fal: Fal,
  request: GenerationRequest,
  requestId: string,
  signal: AbortSignal,
): Promise<void> {
  if (!isVendorId(requestId)) return;
  const url = fal.urls.cancel(request.providerModelId, requestId);
  const { answer } = await fal.send({ method: 'PUT', url }, signal);
  const isDone = answer.got === 'reply' && (answer.status < 300 || NOTHING_TO_STOP.has(answer.status));
  if (isDone) return;
  const cause = answer.got === 'reply' ? `answered ${answer.status}` : answer.cause;
  fal.log.warn({ job_id: request.jobId, cause }, 'fal could not be told to stop a job');
}
