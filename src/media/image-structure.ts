/** Walks through the segments of an image file, in time that is linear in its length. */
import type { ImageFault, ImageType } from './image-types.ts';

/** Where the file stores the size of the image: in its first `headBytes`, or in those from `frameAt` on. */
export type Walk = { fault?: ImageFault; headBytes: number; frameAt: number };

const DAMAGED: Walk = { fault: 'damaged', headBytes: 0, frameAt: 0 };
const ANIMATED: Walk = { fault: 'animated', headBytes: 0, frameAt: 0 };
/** PNG and WebP store the size at the beginning. */
const EARLY: Walk = { headBytes: 64, frameAt: 0 };

export function walkImage(type: ImageType, bytes: Uint8Array): Walk {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return WALKS[type](bytes, view);
}

const WALKS: Record<ImageType, (bytes: Uint8Array, view: DataView) => Walk> = {
  'image/jpeg': walkJpeg,
  'image/png': walkPng,
  'image/webp': walkWebp,
};

const [SOI, EOI, SOS] = [0xd8, 0xd9, 0xda];
/** Baseline, extended and progressive: what browsers and models decode. */
const FRAMES = [0xc0, 0xc1, 0xc2];
/** Frames of other kinds: lossless, hierarchical, arithmetic. */
const OTHER_FRAMES = [0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf];
const FRAME_BYTES_MIN = 11;

/** Up to the end of the image; phones append more data, such as the video of a live photo. */
function walkJpeg(bytes: Uint8Array, view: DataView): Walk {
  let [headBytes, frameAt, hasPixels] = [0, 0, false];
  for (let at = 2; at + 2 <= bytes.length; ) {
    if (bytes[at] !== 0xff) return DAMAGED;
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker === EOI) return hasPixels ? { headBytes, frameAt } : DAMAGED;
    if (marker === SOI || at + 4 > bytes.length) return DAMAGED;
    const end = at + 2 + view.getUint16(at + 2);
    if (end < at + 4 || end > bytes.length || OTHER_FRAMES.includes(marker)) return DAMAGED;
    if (FRAMES.includes(marker)) {
      if (headBytes > 0 || end - at < FRAME_BYTES_MIN) return DAMAGED;
      [headBytes, frameAt] = [end, at];
    }
    if (marker === SOS && headBytes === 0) return DAMAGED;
    if (marker === SOS) hasPixels = true;
    at = marker === SOS ? endOfScan(bytes, end) : end;
  }
  return DAMAGED;
}

/** The position of the next marker outside the scan; stuffed zeros, restarts and fill bytes belong to it. */
function endOfScan(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const marker = bytes[at + 1] ?? 0;
    if (marker !== 0 && marker !== 0xff && (marker < 0xd0 || marker > 0xd7)) return at;
  }
  return bytes.length;
}

const PNG_SIGNATURE_BYTES = 8;
/** Length, name and checksum. */
const PNG_CHUNK_BYTES = 12;
const PNG_HEADER_BYTES = 13;

/** The image must be complete and end with the file. */
function walkPng(bytes: Uint8Array, view: DataView): Walk {
  let hasPixels = false;
  for (let at = PNG_SIGNATURE_BYTES; at + PNG_CHUNK_BYTES <= bytes.length; ) {
    const length = view.getUint32(at);
    const name = nameAt(bytes, at + 4);
    const end = at + PNG_CHUNK_BYTES + length;
    if (end > bytes.length) return DAMAGED;
    if ((at === PNG_SIGNATURE_BYTES) !== (name === 'IHDR' && length === PNG_HEADER_BYTES)) return DAMAGED;
    if (name === 'acTL') return ANIMATED;
    if (name === 'IDAT' && length > 0) hasPixels = true;
    if (name === 'IEND') return hasPixels && end === bytes.length ? EARLY : DAMAGED;
    at = end;
  }
  return DAMAGED;
}

const RIFF_HEADER_BYTES = 12;
const RIFF_CHUNK_BYTES = 8;
/** In the first byte of `VP8X`. */
const WEBP_ANIMATED = 0x02;

/** The image must be complete; one byte of padding may follow it. */
function walkWebp(bytes: Uint8Array, view: DataView): Walk {
  if (bytes.length < RIFF_HEADER_BYTES) return DAMAGED;
  const end = RIFF_CHUNK_BYTES + view.getUint32(4, true);
  if (end > bytes.length || bytes.length > end + (end % 2)) return DAMAGED;
  let hasPixels = false;
  for (let at = RIFF_HEADER_BYTES; at + RIFF_CHUNK_BYTES <= end; ) {
    const length = view.getUint32(at + 4, true);
    const name = nameAt(bytes, at);
    if (at + RIFF_CHUNK_BYTES + length > end) return DAMAGED;
    const flags = bytes[at + RIFF_CHUNK_BYTES] ?? 0;
    if (name === 'ANIM' || name === 'ANMF' || (name === 'VP8X' && (flags & WEBP_ANIMATED) > 0)) return ANIMATED;
    if (name === 'VP8 ' || name === 'VP8L') hasPixels = true;
    at += RIFF_CHUNK_BYTES + length + (length % 2);
  }
  return hasPixels ? EARLY : DAMAGED;
}

function nameAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}
