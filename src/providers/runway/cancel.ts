import type { GenerationRequest } from '../provider.ts';
import { isVendorId } from '../vendor-id.ts';
import type { Runway } from './context.ts';

/** The task does not exist, or no longer. */
const NOTHING_TO_CANCEL = new Set([404, 410]);

/** Cancels the task. Runway deletes a task that has ended, with its output. */
export async function cancel(
  runway: Runway,
  request: GenerationRequest,
  taskId: string,
  signal: AbortSignal,
): Promise<void> {
  if (!isVendorId(taskId)) return;
  const { answer } = await runway.send({ method: 'DELETE', path: `/v1/tasks/${taskId}` }, signal);
  if (answer.got === 'reply' && (answer.status < 300 || NOTHING_TO_CANCEL.has(answer.status))) return;
  const cause = answer.got === 'reply' ? `answered ${answer.status}` : answer.cause;
  runway.log.warn({ job_id: request.jobId, cause }, 'a task could not be cancelled at Runway');
}
