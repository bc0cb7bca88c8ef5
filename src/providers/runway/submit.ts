/** Has Runway start a task: once, because Runway bills every task that it takes and knows no key of ours. */
import { z } from 'zod';
import type { GenerationRequest, SubmitOutcome } from '../provider.ts';
import { type NoReply, parseJson, type Reply } from '../reply.ts';
import { retryableBy, submitVerdictOf } from '../submit-status.ts';
import { isVendorId } from '../vendor-id.ts';
import type { Runway } from './context.ts';
import { failureOfReply } from './failure.ts';
import { imageUriFor } from './image.ts';
import { type ImageToVideoBody, taskInputFor } from './models.ts';

const takenShape = z.object({ id: z.string().refine(isVendorId) });

export async function submit(runway: Runway, request: GenerationRequest, signal: AbortSignal): Promise<SubmitOutcome> {
  const order = taskInputFor(request);
  if ('unusable' in order) {
    runway.log.error({ job_id: request.jobId, cause: order.unusable }, 'a generation that Runway cannot be asked for');
    return { outcome: 'declined', code: 'ERR_5003', cause: order.unusable };
  }
  if (order.from === 'text') {
    const reply = await runway.sendOnce({ method: 'POST', path: '/v1/text_to_video', json: order.body }, signal);
    return outcomeOf(runway, request, reply);
  }
  const picture = await imageUriFor(runway, request, order.image, signal);
  if ('outcome' in picture) return picture;
  const json = { ...order.body, promptImage: picture.uri } satisfies ImageToVideoBody;
  const reply = await runway.sendOnce({ method: 'POST', path: '/v1/image_to_video', json }, signal);
  return outcomeOf(runway, request, reply);
}

function outcomeOf(runway: Runway, request: GenerationRequest, reply: Reply | NoReply): SubmitOutcome {
  if (reply.got === 'nothing') return { outcome: reply.wasSent ? 'unknown' : 'retryable', cause: reply.cause };
  const verdict = submitVerdictOf(reply.status);
  if (verdict === 'taken') return acceptedBy(reply);
  const failure = failureOfReply(reply, runway.secretsOf(request));
  if (verdict === 'retryable') return retryableBy(reply, failure.cause, runway.clock);
  if (verdict === 'unknown') return { outcome: 'unknown', cause: failure.cause };
  if (failure.code === 'ERR_5002') runway.reportRefusedKey(failure.cause);
  if (verdict === 'no_endpoint') {
    runway.log.error({ model: request.providerModelId, status: reply.status }, 'Runway knows no such endpoint');
  }
  return { outcome: 'declined', ...failure };
}

function acceptedBy({ status, text }: Reply): SubmitOutcome {
  const taken = takenShape.safeParse(parseJson(text)).data;
  if (taken) return { outcome: 'accepted', providerJobId: taken.id };
  return { outcome: 'unknown', cause: `answered ${status} without a usable task id` };
}
