/** Inspects the bytes of an image: is it a complete, still JPEG, PNG or WebP, and how large? Pixels are not decoded. */
import { imageSize } from 'image-size';
import { walkImage } from './image-structure.ts';
import type { Image, ImageFault, ImageType } from './image-types.ts';

/** Enough for every phone camera; larger images are made to exhaust their decoder. */
export const IMAGE_BOUNDS = { sideMin: 64, sideMax: 10_000, pixelsMax: 64_000_000 } as const;

/** From this EXIF orientation on, the image is displayed with width and height swapped. */
const ORIENTATION_SWAPPED_MIN = 5;

export function inspectImage(bytes: Uint8Array): Image | { fault: ImageFault } {
  const contentType = imageTypeOf(bytes);
  if (contentType === null) return { fault: 'other' };
  const { fault, headBytes, frameAt } = walkImage(contentType, bytes);
  if (fault) return { fault };
  // If the EXIF data cannot be read, only its orientation is ignored.
  const size = sizeIn(bytes.slice(0, headBytes)) ?? sizeIn(bareJpeg(bytes.subarray(frameAt, headBytes)));
  if (size === null) return { fault: 'damaged' };
  const [least, most] = [Math.min(size.width, size.height), Math.max(size.width, size.height)];
  if (least < IMAGE_BOUNDS.sideMin || most > IMAGE_BOUNDS.sideMax) return { fault: 'side' };
  if (size.width * size.height > IMAGE_BOUNDS.pixelsMax) return { fault: 'pixels' };
  return { contentType, ...size };
}

/** By the first twelve bytes; null for other types. */
export function imageTypeOf(bytes: Uint8Array): ImageType | null {
  const begin = String.fromCharCode(...bytes.subarray(0, 12));
  if (begin.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (begin.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  return /^RIFF[\s\S]{4}WEBP$/.test(begin) ? 'image/webp' : null;
}

/** A JPEG with only an empty segment, which the library skips, and the frame. */
function bareJpeg(frame: Uint8Array): Uint8Array {
  return new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0, 2, ...frame]);
}

/** The library throws on data that it cannot read. It is given only the head, whose segments were checked before. */
function sizeIn(head: Uint8Array): { width: number; height: number } | null {
  try {
    const { width, height, orientation = 1 } = imageSize(head);
    if (!(width > 0 && height > 0)) return null;
    return orientation >= ORIENTATION_SWAPPED_MIN ? { width: height, height: width } : { width, height };
  } catch {
    return null;
  }
}
