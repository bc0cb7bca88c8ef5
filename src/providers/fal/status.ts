/**
 * The status of a job at fal. fal documents no failed state: whether a completed job has succeeded is known from its result,
 * which also decides where the status is not clear. States beyond the documents are answered nevertheless.
 */
import { z } from 'zod';
import { unreachable } from '../call.ts';
import type { GenerationRequest, ProviderStatus } from '../provider.ts';
import { parseJson, type Reply } from '../reply.ts';
import { meaningOf } from '../status-word.ts';
import { isVendorId } from '../vendor-id.ts';
import type { Fal } from './context.ts';
import { failureOfBody, failureOfReply } from './failure.ts';
import { isAboutJob, readResult } from './result.ts';

const filled = z.string().min(1).optional().catch(undefined);
const statusShape = z.object({
  status: z.string().catch(''),
  request_id: filled,
  response_url: filled,
  /** From 0 on. */
  queue_position: z.int().min(0).optional().catch(undefined),
  error: z.unknown().optional(),
  error_type: filled,
});

type Job = z.infer<typeof statusShape>;

/** How long the result is read for the reason of a failure that the status has already reported. */
const REASON_TIMEOUT_MS = 5_000;

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
  if (reply.status < 200 || reply.status >= 300) {
    const failure = failureOfReply(reply, fal.secretsOf(request));
    const isFailure = (reply.status < 500 && isAboutJob(reply)) || failure.reason === 'moderated';
    return isFailure ? { state: 'failed', isUnconfirmed: true, ...failure } : unreachable(fal, reply, tried);
  }
  const job = statusShape.safeParse(parseJson(reply.text)).data;
  if (!job) return { state: 'unreachable', cause: `answered ${reply.status} with an unexpected body` };
  if ((job.request_id ?? requestId) !== requestId) {
    return { state: 'unreachable', cause: 'the reply is about another job' };
  }
  return statusOf(fal, request, { requestId, job, reply }, signal);
}

type Answer = { requestId: string; job: Job; reply: Reply };

async function statusOf(
  fal: Fal,
  request: GenerationRequest,
  { requestId, job, reply }: Answer,
  signal: AbortSignal,
): Promise<ProviderStatus> {
  const meaning = meaningOf(job.status);
  if (meaning === 'queued') {
    return { state: 'queued', queuePosition: job.queue_position === undefined ? null : job.queue_position + 1 };
  }
  if (meaning === 'running') return { state: 'processing', progress: null };
  const asked = { requestId, responseUrl: job.response_url };
  const hasFailed = meaning === 'failed' || Boolean(job.error) || job.error_type !== undefined;
  if (!hasFailed) {
    const result = await readResult(fal, request, asked, signal);
    return meaning === 'completed' ? result : unlessUnclear(result, job.status);
  }
  const failure = {
    state: 'failed' as const,
    ...failureOfBody({ ...reply, word: job.status }, fal.secretsOf(request)),
  };
  if (job.error_type !== undefined || failure.reason === 'moderated') return failure;
  // The status says that the job has failed: the result is read for the reason alone.
  const limit = AbortSignal.any([signal, AbortSignal.timeout(REASON_TIMEOUT_MS)]);
  const result = await readResult(fal, request, asked, limit);
  return result.state === 'failed' && result.code !== 'ERR_5005' ? result : failure;
}

/** With an unknown word for its state, a job may still be running: only a clear result ends it. */
function unlessUnclear(result: ProviderStatus, word: string): ProviderStatus {
  const isUnclear = result.state === 'not_ready' || (result.state === 'failed' && result.code === 'ERR_5005');
  return isUnclear ? { state: 'unreachable', cause: `answered with an unknown state (${word.slice(0, 50)})` } : result;
}
