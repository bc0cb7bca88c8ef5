/** The status of a job at fal. fal has no failed state: whether a completed job has succeeded is known from its result. */
import { z } from 'zod';
import { unreachable } from '../call.ts';
import type { GenerationRequest, ProviderStatus } from '../provider.ts';
import { parseJson } from '../reply.ts';
import { isVendorId } from '../vendor-id.ts';
import type { Fal } from './context.ts';
import { failureOfStatus } from './failure.ts';
import { readResult } from './result.ts';

const filled = z.string().min(1).optional().catch(undefined);
const statusShape = z.object({
  status: z.enum(['IN_QUEUE', 'IN_PROGRESS', 'COMPLETED']),
  request_id: filled,
  response_url: filled,
  /** From 0 on. */
  queue_position: z.int().min(0).optional().catch(undefined),
  error: z.unknown().optional(),
  error_type: filled,
});

export async function status(
  fal: Fal,
  request: GenerationRequest,
  requestId: string,
  signal: AbortSignal,
): Promise<ProviderStatus> {
  if (!isVendorId(requestId)) return { state: 'absent', cause: 'not an id of fal’s' };
  const url = fal.urls.status(request.providerModelId, requestId);
  const tried = await fal.send({ method: 'GET', url }, signal);
  const reply = tried.answer;
  if (reply.got === 'nothing') return { state: 'unreachable', cause: reply.cause };
  if (reply.status === 404 || reply.status === 410) return { state: 'absent', cause: `answered ${reply.status}` };
  if (reply.status < 200 || reply.status >= 300) return unreachable(fal, reply, tried);

  const job = statusShape.safeParse(parseJson(reply.text)).data;
  if (!job) return { state: 'unreachable', cause: `answered ${reply.status} with an unexpected body` };
  if ((job.request_id ?? requestId) !== requestId) {
    return { state: 'unreachable', cause: 'the reply is about another job' };
  }
  if (job.status === 'IN_QUEUE') {
    return { state: 'queued', queuePosition: job.queue_position === undefined ? null : job.queue_position + 1 };
  }
  if (job.status === 'IN_PROGRESS') return { state: 'processing', progress: null };
  return completed(fal, request, { requestId, ...job }, signal);
}

type Completed = {
  requestId: string;
  response_url?: string | undefined;
  error?: unknown;
  error_type?: string | undefined;
};

async function completed(
  fal: Fal,
  request: GenerationRequest,
  { requestId, response_url, error, error_type }: Completed,
  signal: AbortSignal,
): Promise<ProviderStatus> {
  const hasFailed = Boolean(error) || error_type !== undefined;
  const message = typeof error === 'string' ? error : JSON.stringify(error ?? '');
  const failed = () => ({ state: 'failed' as const, ...failureOfStatus(message, error_type, fal.secretsOf(request)) });
  if (error_type !== undefined) return failed();
  const result = await readResult(fal, request, { requestId, responseUrl: response_url }, signal);
  // Where the status says that the job failed, the result is read for the reason alone.
  return hasFailed && result.state !== 'failed' ? failed() : result;
}
