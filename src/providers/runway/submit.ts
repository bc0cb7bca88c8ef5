/** Creates a task at Runway: once, because Runway bills every task that it accepts and has no idempotency key. */
import { z } from 'zod';
import type { GenerationRequest, SubmitOutcome } from '../provider.ts';
import { type NoReply, parseJson, type Reply } from '../reply.ts';
import { retryableBy, submitVerdictOf } from '../submit-status.ts';
import { isVendorId } from '../vendor-id.ts';
import type { Runway } from './context.ts';
import { failureOfReply } from './failure.ts';
import { imageUriFor } from './image.ts';
import { type ImageToVideoBody, taskInputFor } from './models.ts';

const acceptedShape = z.object({ id: z.string().refine(isVendorId) });

export async function submit(runway: Runway, request: GenerationRequest, signal: AbortSignal): Promise<SubmitOutcome> {
  const input = taskInputFor(request);
  if ('unusable' in input) {
    runway.log.error({ job_id: request.jobId, cause: input.unusable }, 'a generation that cannot be sent to Runway');
    return { outcome: 'declined', code: 'ERR_5003', cause: input.unusable };
  }
  if (input.from === 'text') {
    const reply = await runway.sendOnce({ method: 'POST', path: '/v1/text_to_video', json: input.body }, signal);
    return outcomeOf(runway, request, reply);
  }
  const image = await imageUriFor(runway, request, input.image, signal);
  if ('outcome' in image) return image;
  const json = { ...input.body, promptImage: image.uri } satisfies ImageToVideoBody;
  const reply = await runway.sendOnce({ method: 'POST', path: '/v1/image_to_video', json }, signal);
  return outcomeOf(runway, request, reply);
}

function outcomeOf(runway: Runway, request: GenerationRequest, reply: Reply | NoReply): SubmitOutcome {
  if (reply.got === 'nothing') return { outcome: reply.wasSent ? 'unknown' : 'retryable', cause: reply.cause };
  const verdict = submitVerdictOf(reply.status);
  if (verdict === 'accepted') return acceptedBy(reply);
  const failure = failureOfReply(reply, runway.secretsOf(request));
  if (verdict === 'retryable') return retryableBy(reply, failure.cause, runway.clock);
  if (verdict === 'unknown') return { outcome: 'unknown', cause: failure.cause };
  if (failure.code === 'ERR_5002') runway.reportRefusedKey(failure.cause);
  if (verdict === 'no_endpoint') {
    runway.log.error({ model: request.providerModelId, status: reply.status }, 'Runway has no such endpoint');
  }
  return { outcome: 'declined', ...failure };
}

function acceptedBy({ status, text }: Reply): SubmitOutcome {
  const accepted = acceptedShape.safeParse(parseJson(text)).data;
  if (accepted) return { outcome: 'accepted', providerJobId: accepted.id };
  return { outcome: 'unknown', cause: `answered ${status} without a usable task id` };
}
