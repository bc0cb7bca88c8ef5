/** Where fal finds the picture to animate: at our own address, or in its storage, to which it is uploaded. */
import { z } from 'zod';
import { IMAGE_NAMES, loadImage, type NoImage, UPLOAD_TIMEOUT_MS } from '../image.ts';
import type { SourceImage } from '../provider.ts';
import { parseJson } from '../reply.ts';
import type { Fal } from './context.ts';

export type ImageUrl = { url: string } | NoImage;

const initiatedShape = z.object({ upload_url: z.url(), file_url: z.url() });

const OUR_FAULT = [401, 402, 403];

/** Everything here may be repeated: nothing is billed before the job is submitted. */
export async function imageUrlFor(fal: Fal, image: SourceImage, signal: AbortSignal): Promise<ImageUrl> {
  if (image.url !== null) return { url: image.url };
  const limit = AbortSignal.any([signal, AbortSignal.timeout(UPLOAD_TIMEOUT_MS)]);
  const content = await loadImage(image, limit);
  if ('outcome' in content) return content;
  const { contentType: type } = image;
  const json = { content_type: type, file_name: IMAGE_NAMES[type] };
  const begun = await fal.send({ method: 'POST', url: fal.urls.upload, json }, limit);
  if (begun.answer.got === 'nothing') return refused('to be begun', begun.answer.cause);
  const { status, text } = begun.answer;
  if (OUR_FAULT.includes(status)) {
    fal.reportRefusedKey(`answered ${status} to an upload`);
    return { outcome: 'declined', code: 'ERR_5002', cause: `the upload was answered ${status}` };
  }
  const places = initiatedShape.safeParse(parseJson(text)).data;
  if (!isSuccess(status) || !places) return refused('to be begun', `answered ${status}`);
  if (!fal.urls.isUploadUrlSafe(places.upload_url)) return refused('to be placed', 'it was to go to an unsafe address');
  // Whoever has the address may write there: the key is not shown to it.
  const put = { method: 'PUT', url: places.upload_url, bytes: { content, type }, isKeyless: true } as const;
  const { answer } = await fal.send(put, limit);
  if (answer.got === 'nothing') return refused('to arrive', answer.cause);
  return isSuccess(answer.status) ? { url: places.file_url } : refused('to arrive', `answered ${answer.status}`);
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function refused(what: string, cause: string): ImageUrl {
  return { outcome: 'retryable', cause: `the picture failed ${what}: ${cause}` };
}
