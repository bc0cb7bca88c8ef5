/** The result of a completed job. */
import { z } from 'zod';
import { type RetriedReply, unreachable } from '../call.ts';
import type { GenerationRequest, ProviderStatus, VideoSource } from '../provider.ts';
import { parseJson, type Reply } from '../reply.ts';
import type { Fal } from './context.ts';
import { failureOfReply, hasErrorMessage, hasErrorType } from './failure.ts';

const fileShape = z.object({ url: z.url({ protocol: /^https?$/ }) });
const resultShape = z.object({ video: fileShape, thumbnail: fileShape.nullish().catch(null) });

/** Statuses of the wrong one of the two forms of a result's URL. */
const NOT_FOUND = new Set([404, 405]);
const IN_PROGRESS = /still in progress/i;

/** `responseUrl`: the result's URL, where the status named one. */
export type ResultOf = { requestId: string; responseUrl: string | undefined };

/** The file, or why there is none; `unreachable` where the result could not be read. */
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
  if (reply.status >= 200 && reply.status < 300) return fileIn(reply);
  return isAboutJob(reply) ? failed(fal, request, reply) : unreachable(fal, reply, tried);
}

/** Whether the model failed: a repeated 500 with fal's explanation, or a 4xx that is about neither our key nor our rate. */
function isAboutJob(reply: Reply): boolean {
  if (hasErrorType(reply)) return true;
  if (reply.status === 500) return hasErrorMessage(reply);
  return reply.status >= 400 && reply.status < 500 && ![401, 403, 408, 429].includes(reply.status);
}

function failed(fal: Fal, request: GenerationRequest, reply: Reply): ProviderStatus {
  if (reply.status === 400 && IN_PROGRESS.test(reply.text ?? '')) return { state: 'processing', progress: null };
  const failure = failureOfReply(reply, fal.secretsOf(request));
  return NOT_FOUND.has(reply.status)
    ? { state: 'failed', code: 'ERR_5005', cause: `the result is gone: ${failure.cause}` }
    : { state: 'failed', ...failure };
}

function fileIn({ status, text }: Reply): ProviderStatus {
  if (text === null) return { state: 'unreachable', cause: `answered ${status} and the body was cut off` };
  const result = resultShape.safeParse(parseJson(text)).data;
  if (!result) return { state: 'failed', code: 'ERR_5005', cause: 'completed without a video' };
  const source = (url: string): VideoSource => ({ from: 'url', url });
  const { video, thumbnail } = result;
  return { state: 'completed', video: source(video.url), thumbnail: thumbnail ? source(thumbnail.url) : null };
}
