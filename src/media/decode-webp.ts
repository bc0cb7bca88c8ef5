/** Decodes a WebP as browsers do. Runs only in a child process. */
import { Buffer } from 'node:buffer';
import { createCanvas, loadImage } from '@napi-rs/canvas';

/**
 * Whether its pixels are all there. The library rejects a lossless image that does not decode; of a lossy one it leaves the
 * rows that are missing transparent. So its last row is looked at, without the transparency that the file itself has.
 */
export async function decodesWebp(bytes: Uint8Array): Promise<boolean> {
  try {
    await loadImage(bytes);
    const frame = lossyFrameOf(bytes);
    return frame === null || (await isLastRowOpaque(frame));
  } catch {
    return false;
  }
}

async function isLastRowOpaque(webp: Uint8Array): Promise<boolean> {
  const image = await loadImage(webp);
  const context = createCanvas(image.width, 1).getContext('2d');
  context.drawImage(image, 0, 1 - image.height);
  const { data } = context.getImageData(0, 0, image.width, 1);
  return data.every((value, index) => index % 4 !== 3 || value > 0);
}

const RIFF_HEADER_BYTES = 12;
const CHUNK_BYTES = 8;

/** A file with the lossy frame alone; null if there is none. The chunks were checked before. */
function lossyFrameOf(bytes: Uint8Array): Uint8Array | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = RIFF_HEADER_BYTES; at + CHUNK_BYTES <= bytes.length; ) {
    const length = view.getUint32(at + 4, true);
    const end = at + CHUNK_BYTES + length + (length % 2);
    const name = String.fromCharCode(...bytes.subarray(at, at + 4));
    if (name === 'VP8L') return null;
    if (name === 'VP8 ') return asFile(bytes.subarray(at, end));
    at = end;
  }
  return null;
}

function asFile(chunk: Uint8Array): Uint8Array {
  const header = Buffer.from('RIFF\0\0\0\0WEBP', 'latin1');
  header.writeUInt32LE(4 + chunk.length, 4);
  return Buffer.concat([header, chunk]);
}
