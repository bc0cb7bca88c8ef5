/** Checks a PNG as decoders do: the chunks up to the pixels, and that the pixels inflate to all rows that the header promises. */
import { Buffer } from 'node:buffer';
import { createInflateRaw } from 'node:zlib';
import { crc32 } from './crc32.ts';
import { BadImage, checkSize, damagedUnless, type ImageSteps } from './image-types.ts';

const SIGNATURE_BYTES = 8;
/** Length, name and checksum. */
const CHUNK_BYTES = 12;
const HEADER_BYTES = 13;
const CHUNKS_PER_STEP = 5_000;

type Header = { width: number; height: number; bitsPerPixel: number; isIndexed: boolean; isInterlaced: boolean };

/** Whatever follows the pixels is ignored, as all decoders do: other chunks, the end mark, or bytes behind it. */
export async function* checkPng(bytes: Uint8Array): ImageSteps {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = readHeader(bytes, view);
  const pixels: Uint8Array[] = [];
  let hasPalette = false;
  let chunks = 0;
  for (let at = SIGNATURE_BYTES + CHUNK_BYTES + HEADER_BYTES; at + CHUNK_BYTES <= bytes.length; ) {
    const end = at + CHUNK_BYTES + view.getUint32(at);
    const name = nameAt(bytes, at + 4);
    const isPixels = name === 'IDAT';
    if (!isPixels && pixels.length > 0) break;
    damagedUnless(end <= bytes.length && name !== 'IEND' && name !== 'IHDR');
    if (name === 'acTL') throw new BadImage('animated');
    if (isCritical(name)) {
      damagedUnless(isPixels || name === 'PLTE');
      damagedUnless(crc32(bytes.subarray(at + 4, end - 4)) === view.getUint32(end - 4));
    }
    if (name === 'PLTE') hasPalette = true;
    if (isPixels) pixels.push(bytes.subarray(at + 8, end - 4));
    at = end;
    chunks += 1;
    if (chunks % CHUNKS_PER_STEP === 0) yield;
  }
  damagedUnless(pixels.length > 0 && (hasPalette || !header.isIndexed));
  damagedUnless(await hasAllRows(Buffer.concat(pixels), header));
  return { width: header.width, height: header.height };
}

/** The bit depths of each colour type, and how many numbers a pixel has. */
const COLOURS: Record<number, { depths: number[]; channels: number }> = {
  0: { depths: [1, 2, 4, 8, 16], channels: 1 },
  2: { depths: [8, 16], channels: 3 },
  3: { depths: [1, 2, 4, 8], channels: 1 },
  4: { depths: [8, 16], channels: 2 },
  6: { depths: [8, 16], channels: 4 },
};
const INDEXED = 3;

function readHeader(bytes: Uint8Array, view: DataView): Header {
  const at = SIGNATURE_BYTES;
  damagedUnless(bytes.length >= at + CHUNK_BYTES + HEADER_BYTES);
  damagedUnless(view.getUint32(at) === HEADER_BYTES && nameAt(bytes, at + 4) === 'IHDR');
  const [width, height] = [view.getUint32(at + 8), view.getUint32(at + 12)];
  checkSize(width, height);
  damagedUnless(crc32(bytes.subarray(at + 4, at + 21)) === view.getUint32(at + 21));
  const [depth = 0, colour = 0, compression, filter, interlace] = bytes.subarray(at + 16, at + 21);
  const { depths, channels } = COLOURS[colour] ?? { depths: [], channels: 0 };
  damagedUnless(depths.includes(depth) && compression === 0 && filter === 0 && (interlace === 0 || interlace === 1));
  return {
    width,
    height,
    bitsPerPixel: depth * channels,
    isIndexed: colour === INDEXED,
    isInterlaced: interlace === 1,
  };
}

/** Decoders must know every critical chunk; its name begins with a capital letter. */
function isCritical(name: string): boolean {
  return name < 'a';
}

function nameAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

/** The passes of an interlaced image: the first column and row, and the steps between columns and rows. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;
const WHOLE = [[0, 0, 1, 1]] as const;

/** Per pass, the number of its rows and how many bytes each has, with the byte that names its filter. */
function passesOf({ width, height, bitsPerPixel, isInterlaced }: Header): { rows: number; rowBytes: number }[] {
  const passes = (isInterlaced ? ADAM7 : WHOLE).map(([x, y, stepX, stepY]) => ({
    columns: Math.ceil((width - x) / stepX),
    rows: Math.ceil((height - y) / stepY),
  }));
  return passes
    .filter(({ columns, rows }) => columns > 0 && rows > 0)
    .map(({ columns, rows }) => ({ rows, rowBytes: 1 + Math.ceil((columns * bitsPerPixel) / 8) }));
}

const FILTER_MAX = 4;

/** Counts rows in the inflated bytes, which arrive in pieces. */
function createRowCounter(header: Header) {
  const passes = passesOf(header);
  let [pass, row, nextRowAt, position] = [0, 0, 0, 0];
  const isDone = () => pass === passes.length && position >= nextRowAt;
  return {
    isDone,
    /** False if a row has a filter that does not exist. */
    add(piece: Uint8Array): boolean {
      const end = position + piece.length;
      for (let current = passes[pass]; current && nextRowAt < end; current = passes[pass]) {
        if ((piece[nextRowAt - position] ?? 0) > FILTER_MAX) return false;
        nextRowAt += current.rowBytes;
        row += 1;
        if (row < current.rows) continue;
        row = 0;
        pass += 1;
      }
      position = end;
      return true;
    },
  };
}

const ZLIB_HEADER_BYTES = 2;
const DEFLATE = 8;
const PRESET_DICTIONARY = 0x20;
const PIECE_BYTES = 256 * 1024;

/** Stops with the last row: whatever follows it, and the checksum over all, are ignored, as decoders do. */
async function hasAllRows(compressed: Uint8Array, header: Header): Promise<boolean> {
  const [method = 0, flags = 0] = compressed;
  const isZlib = (method & 0x0f) === DEFLATE && (method * 256 + flags) % 31 === 0 && (flags & PRESET_DICTIONARY) === 0;
  if (!isZlib) return false;
  const counter = createRowCounter(header);
  // Raw, so that a wrong size of the window or a wrong checksum does not matter. It inflates outside this thread.
  const inflate = createInflateRaw({ chunkSize: PIECE_BYTES });
  return new Promise((resolve) => {
    const end = (result: boolean) => {
      inflate.destroy();
      resolve(result);
    };
    inflate.on('data', (piece: Uint8Array) => {
      if (!counter.add(piece)) end(false);
      else if (counter.isDone()) end(true);
    });
    inflate.on('error', () => end(false));
    inflate.on('end', () => end(counter.isDone()));
    inflate.end(compressed.subarray(ZLIB_HEADER_BYTES));
  });
}
