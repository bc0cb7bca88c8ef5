/** Images of every kind that people have, and broken ones, made on the spot. */
import { crc32, deflateSync } from 'node:zlib';

export type PngOptions = {
  width?: number;
  height?: number;
  depth?: number;
  colour?: number;
  isInterlaced?: boolean;
  /** How many bytes each IDAT chunk has. */
  pieceBytes?: number;
  /** Replaces the inflated rows. */
  rows?: (rows: Buffer) => Buffer;
  /** Replaces what the IDAT chunks hold. */
  compressed?: (bytes: Buffer) => Buffer;
  /** Chunks before the pixels. */
  before?: Buffer[];
};

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const CHANNELS: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

export function pngChunk(name: string, data: Uint8Array = new Uint8Array(), crc?: number): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc ?? crc32(body));
  return Buffer.concat([length, body, sum]);
}

export function makePng(options: PngOptions = {}): Buffer {
  const { width = 96, height = 80, depth = 8, colour = 6, isInterlaced = false, before = [] } = options;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colour, 0, 0, isInterlaced ? 1 : 0], 8);
  const bits = depth * (CHANNELS[colour] ?? 0);
  const passes = isInterlaced ? ADAM7 : ([[0, 0, 1, 1]] as const);
  const rows = passes.flatMap(([x, y, stepX, stepY]) => {
    const [columns, count] = [Math.ceil((width - x) / stepX), Math.ceil((height - y) / stepY)];
    if (columns <= 0 || count <= 0) return [];
    // Each row in another filter; its values hardly compress.
    return Array.from({ length: count }, (_, row) => {
      const bytes = Buffer.alloc(1 + Math.ceil((columns * bits) / 8), row % 5);
      for (let at = 1; at < bytes.length; at += 1) bytes[at] = (at * 31 + row * 17) % (colour === 3 ? 4 : 251);
      return bytes;
    });
  });
  const raw = Buffer.concat(rows);
  const packed = deflateSync(options.rows?.(raw) ?? raw);
  const compressed = options.compressed?.(packed) ?? packed;
  const pieceBytes = options.pieceBytes ?? Math.max(1, compressed.length);
  const pieces = Array.from({ length: Math.max(1, Math.ceil(compressed.length / pieceBytes)) }, (_, index) =>
    pngChunk('IDAT', compressed.subarray(index * pieceBytes, (index + 1) * pieceBytes)),
  );
  const palette = colour === 3 ? [pngChunk('PLTE', Buffer.alloc(12, 99))] : [];
  return Buffer.concat([SIGNATURE, pngChunk('IHDR', header), ...before, ...palette, ...pieces, pngChunk('IEND')]);
}

/** `marker` with a length and this content. */
export function jpegSegment(marker: number, content: Uint8Array = new Uint8Array()): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(content.length + 2, 2);
  return Buffer.concat([head, content]);
}

/** The segments of a JPEG up to its first scan, and everything from there on. */
export function splitJpeg(jpeg: Buffer): { segments: Buffer[]; scan: Buffer } {
  const segments: Buffer[] = [];
  let at = 2;
  while (jpeg[at + 1] !== 0xda) {
    const end = at + 2 + jpeg.readUInt16BE(at + 2);
    segments.push(jpeg.subarray(at, end));
    at = end;
  }
  return { segments, scan: jpeg.subarray(at) };
}

const SOI = Buffer.from([0xff, 0xd8]);

/** The JPEG with these bytes between the image's segments; `index` is the segment that they stand before. */
export function jpegWith(jpeg: Buffer, inserted: Uint8Array, index = 0): Buffer {
  const { segments, scan } = splitJpeg(jpeg);
  return Buffer.concat([SOI, ...segments.slice(0, index), inserted, ...segments.slice(index), scan]);
}

/** The first segment of this marker, changed. */
export function jpegChanged(jpeg: Buffer, marker: number, change: (segment: Buffer) => Buffer): Buffer {
  const { segments, scan } = splitJpeg(jpeg);
  const index = segments.findIndex((segment) => segment[1] === marker);
  const changed = segments.map((segment, at) => (at === index ? change(Buffer.from(segment)) : segment));
  return Buffer.concat([SOI, ...changed, scan]);
}

/** The WebP with these chunks behind its own, and a header that counts them. */
export function webpWith(webp: Buffer, ...chunks: Buffer[]): Buffer {
  const whole = Buffer.concat([webp, ...chunks]);
  whole.writeUInt32LE(whole.length - 8, 4);
  return whole;
}

export function webpChunk(name: string, content: Uint8Array): Buffer {
  const head = Buffer.from(`${name}\0\0\0\0`, 'latin1');
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content, Buffer.alloc(content.length % 2)]);
}
