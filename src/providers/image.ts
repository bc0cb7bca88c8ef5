/** What adapters need to upload the user's image into a vendor's storage. */
import { Problem } from '../kernel/errors.ts';
import type { SourceImage, SubmitOutcome } from './provider.ts';

/** The outcome of a submit whose image cannot be read or uploaded. */
export type NoImage = Extract<SubmitOutcome, { outcome: 'retryable' | 'declined' }>;

/** Half of the time that a submit has: the other half is left for the request itself. */
export const UPLOAD_TIMEOUT_MS = 15_000;

/** Vendors are not told the file name that the user chose. */
export const IMAGE_NAMES: Record<SourceImage['contentType'], string> = {
  'image/jpeg': 'picture.jpg',
  'image/png': 'picture.png',
  'image/webp': 'picture.webp',
};

/** Reads the image. A failure of our own storage is retryable; an image that its owner has deleted is not. */
export async function loadImage(image: SourceImage, limit: AbortSignal): Promise<Uint8Array<ArrayBuffer> | NoImage> {
  try {
    return await image.load(limit);
  } catch (error) {
    // Our own storage failed: that is no fault of the provider's.
    if (limit.aborted) return { outcome: 'retryable', cause: 'there was no time left to read the image', isBusy: true };
    if (error instanceof Problem)
      return { outcome: 'retryable', cause: `the image cannot be read now (${error.code})`, isBusy: true };
    return { outcome: 'declined', code: 'ERR_5003', cause: 'the image is no longer there', reason: 'image_gone' };
  }
}
