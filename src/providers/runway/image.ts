/** Where Runway finds the caller's picture: at our address, or among its own uploads. */

import { callWithRetries } from '../call.ts';
import { IMAGE_NAMES, loadImage, UPLOAD_TIMEOUT_MS } from '../image.ts';
import type { GenerationRequest, SourceImage, SubmitOutcome } from '../provider.ts';
import type { NoReply, Reply } from '../reply.ts';
import { retryableBy, submitVerdictOf } from '../submit-status.ts';
import { call } from './call.ts';
import type { Runway } from './context.ts';
import { failureIn } from './failure.ts';

/** As Runway documents it for addresses of inputs. */
const URL_LENGTH_MAX = 2048;
/** The picture's address for a task, or what the submit has come to without one. Safe to repeat: uploads cost nothing. */
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
  return uri === null ? withoutPicture(runway, request, answer, isStorages) : { uri };
}

/** `isStorages`: the last answer came from where the file was sent, not from Runway itself. */
type Uploaded = { uri: string | null; answer: Reply | NoReply; isStorages: boolean };

async function upload(runway: Runway, file: File, signal: AbortSignal): Promise<Uploaded> {
  let uri: string | null = null;
  let isStorages = false;
  const { origin } = new URL(runway.baseUrl);
  const watching: typeof fetch = (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    isStorages = url.origin !== origin || !url.pathname.endsWith('/v1/uploads');
    return runway.fetch(input, init);
  };
  const tryOnce = (limit: AbortSignal) =>
    call(
      { ...runway, fetch: watching },
      async (client) => {
        const made = await client.uploads.createEphemeral({ file });
        if (typeof made.uri === 'string' && made.uri.startsWith('runway://')) uri = made.uri;
      },
      limit,
    );
  const { answer } = await callWithRetries(tryOnce, runway, signal);
  return { uri, answer, isStorages };
}

function withoutPicture(
  runway: Runway,
  request: GenerationRequest,
  answer: Reply | NoReply,
  isStorages: boolean,
): SubmitOutcome {
  if (answer.got === 'nothing') return { outcome: 'retryable', cause: `the picture was not uploaded: ${answer.cause}` };
  const failure = failureIn(answer, runway.secretsOf(request));
  const cause = `the picture was not uploaded: ${isStorages ? 'its storage ' : ''}${failure.cause}`;
  const verdict = submitVerdictOf(answer.status);
  // The storage knows a form and a file, no key: 403 there is a form that ran out.
  const isForGood = verdict === 'declined' || (verdict === 'our fault' && !isStorages);
  if (!isForGood) return retryableBy(answer, cause, runway.clock);
  if (failure.code === 'ERR_5002') runway.reportKeyTrouble(cause);
  return { outcome: 'declined', ...failure, cause };
}
