/** Checks the chunks of a WebP, and the headers of the pixels in it. The pixels themselves take a decoder. */
import { BadImage, checkSize, damagedUnless, type ImageSteps } from './image-types.ts';

const RIFF_HEADER_BYTES = 12;
const CHUNK_BYTES = 8;
/** In the first byte of `VP8X`. */
const ANIMATED = 0x02;
const EXTENDED_BYTES = 10;
const CHUNKS_PER_STEP = 5_000;

type Size = { width: number; height: number };

/** The RIFF header says where the image ends; whatever follows is ignored. */
export async function* checkWebp(bytes: Uint8Array): ImageSteps {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = CHUNK_BYTES + view.getUint32(4, true);
  damagedUnless(end <= bytes.length);
  let chunks = 0;
  let canvas: Size | null = null;
  for (let at = RIFF_HEADER_BYTES; at + CHUNK_BYTES <= end; ) {
    const name = String.fromCharCode(...bytes.subarray(at, at + 4));
    const length = view.getUint32(at + 4, true);
    damagedUnless(at + CHUNK_BYTES + length <= end);
    const content = bytes.subarray(at + CHUNK_BYTES, at + CHUNK_BYTES + length);
    if (name === 'ANIM' || name === 'ANMF') throw new BadImage('animated');
    if (name === 'VP8X') {
      damagedUnless(at === RIFF_HEADER_BYTES && length >= EXTENDED_BYTES);
      if (((content[0] ?? 0) & ANIMATED) > 0) throw new BadImage('animated');
      canvas = { width: 1 + threeBytes(content, 4), height: 1 + threeBytes(content, 7) };
    }
    if (name === 'VP8 ' || name === 'VP8L') {
      const size = name === 'VP8L' ? losslessSize(content) : lossySize(content);
      checkSize(size.width, size.height);
      damagedUnless(canvas === null || (canvas.width === size.width && canvas.height === size.height));
      return size;
    }
    at += CHUNK_BYTES + length + (length % 2);
    chunks += 1;
    if (chunks % CHUNKS_PER_STEP === 0) yield;
  }
  throw new BadImage('damaged');
}

function threeBytes(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
}

const LOSSY_HEADER_BYTES = 10;
const START_CODE = [0x9d, 0x01, 0x2a];

/** The header of a key frame (RFC 6386 §9.1). */
function lossySize(frame: Uint8Array): Size {
  damagedUnless(frame.length >= LOSSY_HEADER_BYTES);
  const tag = threeBytes(frame, 0);
  const isKeyFrame = (tag & 1) === 0 && START_CODE.every((byte, index) => frame[3 + index] === byte);
  const firstPartition = tag >> 5;
  damagedUnless(isKeyFrame && firstPartition > 0 && LOSSY_HEADER_BYTES + firstPartition < frame.length);
  const [w0 = 0, w1 = 0, h0 = 0, h1 = 0] = frame.subarray(6);
  return { width: (w0 | (w1 << 8)) & 0x3fff, height: (h0 | (h1 << 8)) & 0x3fff };
}

const LOSSLESS_HEADER_BYTES = 5;
const LOSSLESS_SIGNATURE = 0x2f;

function losslessSize(content: Uint8Array): Size {
  const [signature, b0 = 0, b1 = 0, b2 = 0, b3 = 0] = content;
  damagedUnless(content.length > LOSSLESS_HEADER_BYTES && signature === LOSSLESS_SIGNATURE && b3 >> 5 === 0);
  const width = 1 + (b0 | ((b1 & 0x3f) << 8));
  const height = 1 + ((b1 >> 6) | (b2 << 2) | ((b3 & 0x0f) << 10));
  return { width, height };
}
