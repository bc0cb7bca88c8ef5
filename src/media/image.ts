/** Inspects the bytes of an image: is it a still JPEG, PNG or WebP whose pixels are all there, and how large? */
import { BadImage, type Image, type ImageFault, type ImageSteps, type ImageType } from './image-types.ts';
import { checkJpeg } from './jpeg.ts';
import { checkPng } from './png.ts';
import { checkWebp } from './webp.ts';

const CHECKS: Record<ImageType, (bytes: Uint8Array) => ImageSteps> = {
  'image/jpeg': checkJpeg,
  'image/png': checkPng,
  'image/webp': checkWebp,
};

/** Long enough for the four characters of a WebP at their place. */
const SIGNATURE_BYTES = 12;

/** Lets other work run after each bounded number of steps. Never throws for a bad image. */
export async function inspectImage(bytes: Uint8Array): Promise<Image | { fault: ImageFault }> {
  const contentType = imageTypeOf(bytes);
  if (contentType === null) return { fault: 'other' };
  try {
    const steps = CHECKS[contentType](bytes);
    for (;;) {
      const step = await steps.next();
      if (step.done) return { contentType, ...step.value };
      await new Promise((resolve) => setTimeout(resolve));
    }
  } catch (error) {
    if (error instanceof BadImage) return { fault: error.fault };
    throw error;
  }
}

/** By the first twelve bytes; null for other types. */
export function imageTypeOf(bytes: Uint8Array): ImageType | null {
  const begin = String.fromCharCode(...bytes.subarray(0, SIGNATURE_BYTES));
  if (begin.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (begin.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  return /^RIFF[\s\S]{4}WEBP$/.test(begin) ? 'image/webp' : null;
}
