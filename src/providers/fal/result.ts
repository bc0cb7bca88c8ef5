/** What came of a completed job. */
import { z } from 'zod';
import { type RetriedReply, unreachable } from '../call.ts';
import type { GenerationRequest, ProviderStatus, VideoSource } from '../provider.ts';
import { parseJson, type Reply } from '../reply.ts';
import type { Fal } from './context.ts';
import { failureOfReply, hasErrorMessage, hasErrorType } from './failure.ts';

const fileShape = z.object({ url: z.url({ protocol: /^https?$/ }) });
const resultShape = z.object({ video: fileShape, thumbnail: fileShape.nullish().catch(null) });

/** The wrong one of the two forms of a result's address. */
const NOT_HERE = new Set([404, 405]);
const IN_PROGRESS = /still in progress/i;

export type ResultOf = { requestId: string; named: string | undefined };

/** The file, or why there is none; `unreachable` where fal's word on the job could not be had. */
export async function readResult(
  fal: Fal,
  request: GenerationRequest,
  { requestId, named }: ResultOf,
  signal: AbortSignal,
): Promise<ProviderStatus> {
  let asked: RetriedReply = {
    answer: { got: 'nothing', wasSent: false, cause: 'not asked' },
    isRetryable: true,
    retryAfterMs: null,
  };
  for (const url of fal.urls.results(request.providerModelId, requestId, named)) {
    asked = await fal.send({ method: 'GET', url }, signal, hasErrorType);
    if (asked.answer.got === 'nothing' || !NOT_HERE.has(asked.answer.status)) break;
  }
  const reply = asked.answer;
  if (reply.got === 'nothing') return { state: 'unreachable', cause: reply.cause };
  if (reply.status >= 200 && reply.status < 300) return fileIn(reply);
  return isAboutJob(reply) ? failed(fal, request, reply) : unreachable(fal, reply, asked);
}

/** A 500 that fal explains and that stays one is what the model said; so is every 4xx that is not about our key or pace. */
function isAboutJob(reply: Reply): boolean {
  if (hasErrorType(reply)) return true;
  if (reply.status === 500) return hasErrorMessage(reply);
  return reply.status >= 400 && reply.status < 500 && ![401, 403, 408, 429].includes(reply.status);
}

function failed(fal: Fal, request: GenerationRequest, reply: Reply): ProviderStatus {
  if (reply.status === 400 && IN_PROGRESS.test(reply.text ?? '')) return { state: 'processing', progress: null };
  const failure = failureOfReply(reply, fal.secretsOf(request));
  return NOT_HERE.has(reply.status)
    ? { state: 'failed', code: 'ERR_5005', cause: `the result is gone: ${failure.cause}` }
    : { state: 'failed', ...failure };
}

function fileIn({ status, text }: Reply): ProviderStatus {
  if (text === null) return { state: 'unreachable', cause: `answered ${status} and was cut off` };
  const result = resultShape.safeParse(parseJson(text)).data;
  if (!result) return { state: 'failed', code: 'ERR_5005', cause: 'completed without a video' };
  const source = (url: string): VideoSource => ({ from: 'url', url });
  const { video, thumbnail } = result;
  return { state: 'completed', video: source(video.url), thumbnail: thumbnail ? source(thumbnail.url) : null };
}
