/** Sends a job to fal's queue: once, because fal bills every POST that it accepts and has no idempotency key. */
import { z } from 'zod';
import type { GenerationRequest, SubmitOutcome } from '../provider.ts';
import { type NoReply, parseJson, type Reply } from '../reply.ts';
import { retryableBy, submitVerdictOf } from '../submit-status.ts';
import { isVendorId } from '../vendor-id.ts';
import { call } from './call.ts';
import type { Fal } from './context.ts';
import { failureOfReply } from './failure.ts';
import { imageUrlFor } from './image.ts';
import { inputFor, needsImage } from './models.ts';

const acceptedShape = z.object({ request_id: z.string().refine(isVendorId) });

export async function submit(fal: Fal, request: GenerationRequest, signal: AbortSignal): Promise<SubmitOutcome> {
  const { image } = request;
  const imageUrl = image && needsImage(request.providerModelId) ? await imageUrlFor(fal, image, signal) : null;
  if (imageUrl && 'outcome' in imageUrl) return imageUrl;
  const sent = inputFor(request, imageUrl?.url ?? null);
  if ('unusable' in sent) {
    fal.log.error({ job_id: request.jobId, cause: sent.unusable }, 'a generation that cannot be sent to fal');
    return { outcome: 'declined', code: 'ERR_5003', cause: sent.unusable };
  }
  const url = fal.urls.submit(request.providerModelId, request.webhookUrl);
  const reply = await call(fal.fetch, { method: 'POST', url, apiKey: fal.apiKey, json: sent.input }, signal);
  return outcomeOf(fal, image && imageUrl ? { ...request, image: { ...image, url: imageUrl.url } } : request, reply);
}

function outcomeOf(fal: Fal, request: GenerationRequest, reply: Reply | NoReply): SubmitOutcome {
  if (reply.got === 'nothing') return { outcome: reply.wasSent ? 'unknown' : 'retryable', cause: reply.cause };
  const verdict = submitVerdictOf(reply.status);
  if (verdict === 'accepted') return acceptedBy(reply);
  const failure = failureOfReply(reply, fal.secretsOf(request));
  if (verdict === 'retryable') return retryableBy(reply, failure.cause, fal.clock);
  if (verdict === 'unknown') return { outcome: 'unknown', cause: failure.cause };
  if (failure.reason === 'moderated') return { outcome: 'declined', ...failure };
  if (verdict === 'our_fault') {
    fal.reportRefusedKey(failure.cause);
    return { outcome: 'declined', code: 'ERR_5002', cause: failure.cause };
  }
  if (verdict === 'no_endpoint') {
    fal.log.error({ endpoint: request.providerModelId, status: reply.status }, 'fal has no such endpoint');
    return { outcome: 'declined', code: 'ERR_5003', cause: failure.cause };
  }
  return { outcome: 'declined', ...failure };
}

function acceptedBy({ status, headers, text }: Reply): SubmitOutcome {
  const vendorId = headers.get('x-fal-request-id');
  const accepted = acceptedShape.safeParse(parseJson(text));
  if (accepted.success) {
    const providerJobId = accepted.data.request_id;
    return { outcome: 'accepted', providerJobId, requestId: isVendorId(vendorId) ? vendorId : providerJobId };
  }
  const trace = isVendorId(vendorId) ? `, x-fal-request-id ${vendorId}` : '';
  return { outcome: 'unknown', cause: `answered ${status} without a usable request id${trace}` };
}
