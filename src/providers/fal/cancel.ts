import type { GenerationRequest } from '../provider.ts';
import { isVendorId } from '../vendor-id.ts';
import type { Fal } from './context.ts';

/** The job has ended, or does not exist. */
const NOTHING_TO_CANCEL = new Set([400, 404, 410]);

/** Cancels the job in fal's queue. A running job may go on, and is billed. */
export async function cancel(
  fal: Fal,
  request: GenerationRequest,
  requestId: string,
  signal: AbortSignal,
): Promise<void> {
  if (!isVendorId(requestId)) return;
  const url = fal.urls.cancel(request.providerModelId, requestId);
  const { answer } = await fal.send({ method: 'PUT', url }, signal);
  const isDone = answer.got === 'reply' && (answer.status < 300 || NOTHING_TO_CANCEL.has(answer.status));
  if (isDone) return;
  const cause = answer.got === 'reply' ? `answered ${answer.status}` : answer.cause;
  fal.log.warn({ job_id: request.jobId, cause }, 'a job could not be cancelled at fal');
}
