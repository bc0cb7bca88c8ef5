/** Sends a job to fal's queue: once, because fal bills every POST that it takes and knows no key of ours. */
import { z } from 'zod';
import type { GenerationRequest, SubmitOutcome } from '../provider.ts';
import { retryAfterMsOf } from '../retry.ts';
import { call, type NoReply, type Reply } from './call.ts';
import type { Fal } from './context.ts';
import { failureIn, parsed } from './failure.ts';
import { inputFor } from './models.ts';
import { isRequestId } from './urls.ts';

const takenShape = z.object({ request_id: z.string().refine(isRequestId) });

/** Not allowed, or not paid for: nothing that another prompt would change. */
const OUR_FAULT = new Set([401, 402, 403]);
/** The endpoint has gone. */
const NO_ENDPOINT = new Set([404, 405, 410]);
/** Codes that may also come from somebody on the way, after the request was passed on. */
const AMBIGUOUS = new Set([408, 409, 425, 499]);

export async function submit(fal: Fal, request: GenerationRequest, signal: AbortSignal): Promise<SubmitOutcome> {
  const sent = inputFor(request);
  if ('unusable' in sent) {
    fal.log.error({ job_id: request.jobId, cause: sent.unusable }, 'a generation that fal cannot be asked for');
    return { outcome: 'rejected', code: 'ERR_5003', cause: sent.unusable };
  }
  const url = fal.urls.submit(request.providerModelId, request.webhookUrl);
  const reply = await call(fal.fetch, { method: 'POST', url, apiKey: fal.apiKey, json: sent.input }, signal);
  return outcomeOf(fal, request, reply);
}

function outcomeOf(fal: Fal, request: GenerationRequest, reply: Reply | NoReply): SubmitOutcome {
  if (reply.got === 'nothing') return { outcome: reply.wasSent ? 'unknown' : 'refused', cause: reply.cause };
  const { status, headers } = reply;
  if (status >= 200 && status < 300) return acceptedBy(reply);
  const failure = failureIn(reply, fal.secretsOf(request));
  if (status === 429 || status === 503) {
    const retryAfterMs = retryAfterMsOf(headers, fal.clock);
    return {
      outcome: 'refused',
      cause: failure.cause,
      ...(status === 429 ? { isBusy: true } : {}),
      ...(retryAfterMs === null ? {} : { retryAfterMs }),
    };
  }
  if (status < 400 || status >= 500 || AMBIGUOUS.has(status)) return { outcome: 'unknown', cause: failure.cause };
  if (OUR_FAULT.has(status)) {
    fal.reportKeyTrouble(failure.cause);
    return { outcome: 'rejected', code: 'ERR_5002', cause: failure.cause };
  }
  if (NO_ENDPOINT.has(status)) {
    fal.log.error({ endpoint: request.providerModelId, status }, 'fal knows no such endpoint');
    return { outcome: 'rejected', code: 'ERR_5003', cause: failure.cause };
  }
  return { outcome: 'rejected', ...failure };
}

function acceptedBy({ status, headers, text }: Reply): SubmitOutcome {
  const vendorId = headers.get('x-fal-request-id');
  const taken = takenShape.safeParse(parsed(text));
  if (taken.success) {
    const providerJobId = taken.data.request_id;
    return { outcome: 'accepted', providerJobId, requestId: vendorId ?? providerJobId };
  }
  const trace = isRequestId(vendorId) ? `, x-fal-request-id ${vendorId}` : '';
  return { outcome: 'unknown', cause: `answered ${status} without a usable request id${trace}` };
}
