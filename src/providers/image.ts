/** The caller's picture on its way into a vendor's storage. */
import { Problem } from '../kernel/errors.ts';
import type { SourceImage, SubmitOutcome } from './provider.ts';

/** What a submit comes to without its picture. */
export type NoImage = Extract<SubmitOutcome, { outcome: 'retryable' | 'declined' }>;

/** Half of the time that a submit has: the request itself must not be cut off for the picture's sake. */
export const UPLOAD_TIMEOUT_MS = 15_000;

/** What a person called the file is nobody's business. */
export const IMAGE_NAMES: Record<SourceImage['contentType'], string> = {
  'image/jpeg': 'picture.jpg',
  'image/png': 'picture.png',
  'image/webp': 'picture.webp',
};

/** The picture itself. Our own storage comes back; a picture that its owner has deleted does not. */
export async function loadImage(image: SourceImage, limit: AbortSignal): Promise<Uint8Array<ArrayBuffer> | NoImage> {
  try {
    return await image.load(limit);
  } catch (error) {
    // Our own storage's trouble, of which the provider knows nothing.
    if (limit.aborted) return { outcome: 'retryable', cause: 'there was no time left for the picture', isBusy: true };
    if (error instanceof Problem)
      return { outcome: 'retryable', cause: `the picture cannot be read now (${error.code})`, isBusy: true };
    return { outcome: 'declined', code: 'ERR_5003', cause: 'the picture is no longer there' };
  }
}
