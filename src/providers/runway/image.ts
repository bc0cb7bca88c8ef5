/** The URI at which Runway reads the image: our own signed URL, or one of Runway's uploads. */

import { z } from 'zod';
import { callOnce, callWithRetries } from '../call.ts';
import { IMAGE_NAMES, loadImage, UPLOAD_TIMEOUT_MS } from '../image.ts';
import type { GenerationRequest, SourceImage, SubmitOutcome } from '../provider.ts';
import { type NoReply, parseJson, type Reply } from '../reply.ts';
import { retryableBy, submitVerdictOf } from '../submit-status.ts';
import type { Runway } from './context.ts';
import { failureOfReply } from './failure.ts';

/** Runway's documented limit for the URLs of inputs. */
const URL_LENGTH_MAX = 2048;

/** The image's URI for a task, or the outcome of the submit where there is none. Safe to repeat: uploads cost nothing. */
export async function imageUriFor(
  runway: Runway,
  request: GenerationRequest,
  image: SourceImage,
  signal: AbortSignal,
): Promise<{ uri: string } | SubmitOutcome> {
  const { url } = image;
  if (url?.startsWith('https://') && url.length <= URL_LENGTH_MAX) return { uri: url };
  const limit = AbortSignal.any([signal, AbortSignal.timeout(UPLOAD_TIMEOUT_MS)]);
  const bytes = await loadImage(image, limit);
  if ('outcome' in bytes) return bytes;
  const file = new File([bytes], IMAGE_NAMES[image.contentType], { type: image.contentType });
  const { uri, answer, isStorages } = await upload(runway, file, limit);
  return uri === null ? withoutImage(runway, request, answer, isStorages) : { uri };
}

/** `isStorages`: the last reply came from the storage that the file was sent to, not from Runway's API. */
type Uploaded = { uri: string | null; answer: Reply | NoReply; isStorages: boolean };

/** A form to send with the file, and the URI of the file once it is there. */
const formShape = z.object({
  uploadUrl: z.url({ protocol: /^https?$/ }),
  fields: z.record(z.string(), z.string()),
  runwayUri: z.string().startsWith('runway://'),
});

async function upload(runway: Runway, file: File, signal: AbortSignal): Promise<Uploaded> {
  let uri: string | null = null;
  let isStorages = false;
  const tryOnce = async (limit: AbortSignal) => {
    isStorages = false;
    const json = { filename: file.name, type: 'ephemeral' };
    const begun = await runway.sendOnce({ method: 'POST', path: '/v1/uploads', json }, limit);
    const form =
      begun.got === 'reply' && isSuccess(begun) ? formShape.safeParse(parseJson(begun.text)).data : undefined;
    if (!form) return begun;
    isStorages = true;
    // The form authorises the upload: the key is not sent to the storage.
    const sent = await callOnce(
      runway.fetch,
      form.uploadUrl,
      { method: 'POST', body: filled(form.fields, file) },
      limit,
    );
    if (sent.got === 'reply' && isSuccess(sent)) uri = form.runwayUri;
    return sent;
  };
  const { answer } = await callWithRetries(tryOnce, runway, signal);
  return { uri, answer, isStorages };
}

/** The file comes last, as in the SDK's form: S3 ignores the fields after it. */
function filled(fields: Record<string, string>, file: File): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', file);
  return form;
}

function isSuccess({ status }: Reply): boolean {
  return status >= 200 && status < 300;
}

function withoutImage(
  runway: Runway,
  request: GenerationRequest,
  answer: Reply | NoReply,
  isStorages: boolean,
): SubmitOutcome {
  if (answer.got === 'nothing') return { outcome: 'retryable', cause: `the picture was not uploaded: ${answer.cause}` };
  const failure = failureOfReply(answer, runway.secretsOf(request));
  const cause = `the picture was not uploaded: ${isStorages ? 'its storage ' : ''}${failure.cause}`;
  const verdict = submitVerdictOf(answer.status);
  // The storage checks the form, not the key: a 403 there means that the form has expired.
  const isForGood = verdict === 'declined' || (verdict === 'our_fault' && !isStorages);
  if (!isForGood) return retryableBy(answer, cause, runway.clock);
  if (failure.code === 'ERR_5002') runway.reportRefusedKey(cause);
  return { outcome: 'declined', ...failure, cause };
}
