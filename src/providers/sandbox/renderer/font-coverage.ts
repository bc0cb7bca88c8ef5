/** Which characters a font can draw, read from its file: a canvas draws a box for every other one, and says nothing. */
import { readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';

/** Code points. */
export type Coverage = ReadonlySet<number>;

/** A TrueType or WOFF2 file. Throws if it is none or has no map of Unicode. */
export function readCoverage(path: string): Coverage {
  const font = readFileSync(path);
  const map = font.toString('latin1', 0, 4) === 'wOF2' ? mapOfWoff2(font) : mapOfTrueType(font);
  const subtables = Array.from({ length: map.readUInt16BE(2) }, (_, index) =>
    map.subarray(map.readUInt32BE(8 + 8 * index)),
  );
  const full = subtables.find((table) => table.readUInt16BE(0) === 12);
  if (full) return coverageOfGroups(full);
  const basic = subtables.find((table) => table.readUInt16BE(0) === 4);
  if (!basic) throw new Error(`${path} has no map of Unicode`);
  return coverageOfSegments(basic);
}

function mapOfTrueType(font: Buffer): Buffer {
  const count = font.readUInt16BE(4);
  for (let entry = 12; entry < 12 + 16 * count; entry += 16) {
    if (font.toString('latin1', entry, entry + 4) !== 'cmap') continue;
    const start = font.readUInt32BE(entry + 8);
    return font.subarray(start, start + font.readUInt32BE(entry + 12));
  }
  throw new Error('a font without cmap');
}

/** WOFF2 names the usual tables by numbers, and compresses all tables as one stream in the order of its directory. */
const WOFF2 = { header: 48, cmap: 0, glyf: 10, loca: 11, unnumbered: 63 };

function mapOfWoff2(font: Buffer): Buffer {
  let at = WOFF2.header;
  const length = (): number => {
    let value = 0;
    for (let more = true; more; at++) {
      const byte = font[at] ?? 0;
      value = value * 128 + (byte & 0x7f);
      more = byte >= 0x80;
    }
    return value;
  };
  let found: { start: number; end: number } | null = null;
  let start = 0;
  for (let left = font.readUInt16BE(12); left > 0; left--) {
    const flags = font[at++] ?? 0;
    const table = flags & 0x3f;
    if (table === WOFF2.unnumbered) at += 4;
    const version = flags >> 6;
    const plainBytes = length();
    // Glyphs are stored in another form unless their version says no; all other tables the other way round.
    const isTransformed = table === WOFF2.glyf || table === WOFF2.loca ? version === 0 : version !== 0;
    const bytes = isTransformed ? length() : plainBytes;
    if (table === WOFF2.cmap) found = { start, end: start + bytes };
    start += bytes;
  }
  if (!found) throw new Error('a font without cmap');
  return brotliDecompressSync(font.subarray(at, at + font.readUInt32BE(20))).subarray(found.start, found.end);
}

/** Format 12: ranges of code points, each with the glyph of its first. */
function coverageOfGroups(table: Buffer): Coverage {
  const covered = new Set<number>();
  const count = table.readUInt32BE(12);
  for (let at = 16; at < 16 + 12 * count; at += 12) {
    const first = table.readUInt32BE(at);
    const last = table.readUInt32BE(at + 4);
    const glyph = table.readUInt32BE(at + 8);
    for (let point = first; point <= last; point++) if (glyph + point - first > 0) covered.add(point);
  }
  return covered;
}

/** Format 4: segments of code points up to U+FFFF, with glyphs that are computed or listed. Glyph 0 is the box. */
function coverageOfSegments(table: Buffer): Coverage {
  const covered = new Set<number>();
  const doubled = table.readUInt16BE(6);
  const [ends, starts, deltas, offsets] = [14, 16 + doubled, 16 + 2 * doubled, 16 + 3 * doubled] as const;
  for (let at = 0; at < doubled; at += 2) {
    const first = table.readUInt16BE(starts + at);
    const last = table.readUInt16BE(ends + at);
    const offset = table.readUInt16BE(offsets + at);
    for (let point = first; point <= last && point < 0xffff; point++) {
      const listed = offset === 0 ? point : table.readUInt16BE(offsets + at + offset + 2 * (point - first));
      if (listed !== 0 && ((listed + table.readUInt16BE(deltas + at)) & 0xffff) !== 0) covered.add(point);
    }
  }
  return covered;
}
