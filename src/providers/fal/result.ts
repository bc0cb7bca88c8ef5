/** The result of a job that has ended. */
import { z } from 'zod';
import { type RetriedReply, unreachable } from '../call.ts';
import { findVideo } from '../find-video.ts';
import type { GenerationRequest, ProviderStatus } from '../provider.ts';
import { parseJson, type Reply } from '../reply.ts';
import { meaningOf } from '../status-word.ts';
import type { Fal } from './context.ts';
import { failureOfBody, failureOfReply, hasErrorMessage, hasErrorType } from './failure.ts';

const envelopeShape = z.object({ status: z.string() });

/** Statuses of the wrong one of the two forms of a result's URL, and of a result that is not there yet. */
const NOT_FOUND = new Set([404, 405, 410]);
/** Replies about our key, our rate, or the way to fal. */
const NOT_ABOUT_JOB = new Set([401, 402, 403, 408, 425, 429]);
const IN_PROGRESS =
  /\bin[ _]?(?:progress|queue)\b|\bstill (?:running|processing)\b|\bnot (?:yet )?(?:completed?|finished|ready)\b/i;
/** A success without a video, because the model's filter has removed it. */
const FILTERED = /"(?:has_nsfw\w*|nsfw\w*|\w*filtered_?count)"\s*:\s*(?:\[\s*)?(?:true|[1-9])/i;

/** `responseUrl`: the result's URL, where the status named one. */
export type ResultOf = { requestId: string; responseUrl: string | undefined };

/** The file, or why there is none; `not_ready` or `unreachable` where the result could not be read. */
export async function readResult(
  fal: Fal,
  request: GenerationRequest,
  { requestId, responseUrl }: ResultOf,
  signal: AbortSignal,
): Promise<ProviderStatus> {
  let tried: RetriedReply = {
    answer: { got: 'nothing', wasSent: false, cause: 'no request was sent' },
    isRetryable: true,
    retryAfterMs: null,
  };
  for (const url of fal.urls.results(request.providerModelId, requestId, responseUrl)) {
    tried = await fal.send({ method: 'GET', url }, signal, hasErrorType);
    if (tried.answer.got === 'nothing' || !NOT_FOUND.has(tried.answer.status)) break;
  }
  const reply = tried.answer;
  if (reply.got === 'nothing') return { state: 'unreachable', cause: reply.cause };
  const secrets = fal.secretsOf(request);
  if (reply.status >= 200 && reply.status < 300) return resultIn(reply, secrets);
  const failure = failureOfReply(reply, secrets);
  if (NOT_FOUND.has(reply.status)) return { state: 'not_ready', cause: `the result is not there: ${failure.cause}` };
  if (reply.status === 400 && IN_PROGRESS.test(reply.text ?? '')) return { state: 'processing', progress: null };
  const isFailure = isAboutJob(reply) || failure.reason === 'moderated';
  return isFailure ? { state: 'failed', ...failure } : unreachable(fal, reply, tried);
}

/** Whether the reply says that the job has failed: a 4xx with a reason, or a repeated 500 with fal's explanation. */
export function isAboutJob(reply: Reply): boolean {
  if (NOT_ABOUT_JOB.has(reply.status) || NOT_FOUND.has(reply.status)) return false;
  if (hasErrorType(reply)) return true;
  if (reply.status === 422) return true;
  return (reply.status === 500 || (reply.status >= 400 && reply.status < 500)) && hasErrorMessage(reply);
}

function resultIn({ status, headers, text }: Reply, secrets: readonly string[]): ProviderStatus {
  if (text === null) return { state: 'unreachable', cause: `answered ${status} and the body was cut off` };
  const body = parseJson(text);
  if (body === undefined) return { state: 'not_ready', cause: `answered ${status} without JSON` };
  const found = findVideo(body);
  if (found) return { state: 'completed', ...found };
  const word = envelopeShape.safeParse(body).data?.status ?? '';
  const meaning = meaningOf(word);
  if (meaning === 'queued' || meaning === 'running') return { state: 'processing', progress: null };
  const failure = failureOfBody({ headers, text, word }, secrets);
  if (meaning === 'failed' || failure.reason === 'moderated') return { state: 'failed', ...failure };
  return FILTERED.test(text)
    ? { state: 'failed', code: 'ERR_5003', cause: 'moderated: completed without a video', reason: 'moderated' }
    : { state: 'failed', code: 'ERR_5005', cause: 'completed without a video' };
}
