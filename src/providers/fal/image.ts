/** The URL at which fal fetches the image: our own signed URL, or one in fal's storage, after an upload. */
import { z } from 'zod';
import { IMAGE_NAMES, loadImage, type NoImage, UPLOAD_TIMEOUT_MS } from '../image.ts';
import type { SourceImage } from '../provider.ts';
import { parseJson } from '../reply.ts';
import type { Fal } from './context.ts';

export type ImageUrl = { url: string } | NoImage;

const initiatedShape = z.object({ upload_url: z.url(), file_url: z.url() });

const OUR_FAULT = [401, 402, 403];

/** All of it may be repeated: nothing is billed before the job is submitted. */
export async function imageUrlFor(fal: Fal, image: SourceImage, signal: AbortSignal): Promise<ImageUrl> {
  if (image.url !== null) return { url: image.url };
  const limit = AbortSignal.any([signal, AbortSignal.timeout(UPLOAD_TIMEOUT_MS)]);
  const content = await loadImage(image, limit);
  if ('outcome' in content) return content;
  const { contentType: type } = image;
  const json = { content_type: type, file_name: IMAGE_NAMES[type] };
  const begun = await fal.send({ method: 'POST', url: fal.urls.upload, json }, limit);
  if (begun.answer.got === 'nothing') return notUploaded(begun.answer.cause);
  const { status, text } = begun.answer;
  if (OUR_FAULT.includes(status)) {
    fal.reportRefusedKey(`answered ${status} to an upload`);
    return { outcome: 'declined', code: 'ERR_5002', cause: `the upload was answered ${status}` };
  }
  const upload = initiatedShape.safeParse(parseJson(text)).data;
  if (!isSuccess(status) || !upload) return notUploaded(`fal answered ${status}`);
  if (!fal.urls.isUploadUrlSafe(upload.upload_url)) return notUploaded('fal gave an unsafe URL');
  // The URL itself authorises the upload: the key is not sent to it.
  const put = { method: 'PUT', url: upload.upload_url, bytes: { content, type }, isKeyless: true } as const;
  const { answer } = await fal.send(put, limit);
  if (answer.got === 'nothing') return notUploaded(answer.cause);
  return isSuccess(answer.status) ? { url: upload.file_url } : notUploaded(`the storage answered ${answer.status}`);
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function notUploaded(cause: string): ImageUrl {
  return { outcome: 'retryable', cause: `the image was not uploaded: ${cause}` };
}
