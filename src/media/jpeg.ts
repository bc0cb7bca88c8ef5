/** Checks a JPEG as decoders do: the segments up to the last scan that is needed, and that its scans hold every block. */
import { exifOrientation } from './exif.ts';
import { damagedUnless, type ImageSteps } from './image-types.ts';
import { BitReader, buildTable, type HuffmanTable, isRestart, nextMarker } from './jpeg-bits.ts';
import { DEFAULT_TABLES } from './jpeg-default-tables.ts';
import { type Frame, isComplete, isDrawable, readFrame, readScan, recordScan } from './jpeg-frame.ts';
import { decodeScan, type ScanResult, type ScanTables } from './jpeg-scan.ts';

const [TEM, EOI, SOS, DQT, DHT, DRI, DAC, DNL, APP0, APP1, APP15, COM] = [
  0x01, 0xd9, 0xda, 0xdb, 0xc4, 0xdd, 0xcc, 0xdc, 0xe0, 0xe1, 0xef, 0xfe,
] as const;
/** Baseline, extended and progressive: what browsers and models decode. */
const FRAMES = [0xc0, 0xc1, 0xc2];
/** Segments that decoders skip. */
const SKIPPED: number[] = [DAC, DNL, COM];

/** Real images have about ten scans. More are made to keep a decoder busy, and so are so many units in all scans together. */
const SCANS_MAX = 100;
const UNITS_MAX = 30_000_000;
const SEGMENTS_PER_STEP = 5_000;
const BYTES_PER_STEP = 1024 * 1024;
/** Decoders draw an image with a few broken blocks; noise in place of pixels breaks far more. */
const BROKEN_SHARE_MAX = 0.01;
/** From this EXIF orientation on, the image is displayed with width and height swapped. */
const ORIENTATION_SWAPPED_MIN = 5;

type State = {
  frame: Frame | null;
  orientation: number;
  /** As the file defines them, by kind and number (0–3 of differences, 16–19 of the others). */
  tables: Map<number, Uint8Array>;
  quantizations: Set<number>;
  restartInterval: number;
  /** Of the scans so far. */
  units: number;
};

/** The end mark may be missing, or anything may follow the image: a trailer, the video of a live photo, another image. */
export async function* checkJpeg(bytes: Uint8Array): ImageSteps {
  const state: State = {
    frame: null,
    orientation: 1,
    tables: new Map(DEFAULT_TABLES),
    quantizations: new Set(),
    restartInterval: 0,
    units: 0,
  };
  let [scans, segments, stepEndsAt] = [0, 0, BYTES_PER_STEP];
  for (let at = nextMarker(bytes, 2); ; at = nextMarker(bytes, at)) {
    segments += 1;
    if (segments % SEGMENTS_PER_STEP === 0 || at > stepEndsAt) {
      stepEndsAt = at + BYTES_PER_STEP;
      yield;
    }
    const marker = bytes[at + 1] ?? EOI;
    if (marker === EOI) {
      damagedUnless(state.frame !== null && isDrawable(state.frame) && at < bytes.length);
      return sizeOf(state.frame, state.orientation);
    }
    if (isRestart(marker) || marker === TEM) {
      at += 2;
      continue;
    }
    const segment = segmentAt(bytes, at);
    at += 2 + segment.length;
    if (marker !== SOS) {
      readSegment(state, marker, segment);
      continue;
    }
    scans += 1;
    damagedUnless(state.frame !== null && scans <= SCANS_MAX);
    at = yield* checkScan(state, state.frame, { segment, bytes, at });
    // Nothing behind the last pixel matters.
    if (isComplete(state.frame)) return sizeOf(state.frame, state.orientation);
  }
}

/** The segment's length and its content. */
function segmentAt(bytes: Uint8Array, at: number): Uint8Array {
  damagedUnless(at + 4 <= bytes.length);
  const length = (bytes[at + 2] ?? 0) * 256 + (bytes[at + 3] ?? 0);
  damagedUnless(length >= 2 && at + 2 + length <= bytes.length);
  return bytes.subarray(at + 2, at + 2 + length);
}

function readSegment(state: State, marker: number, segment: Uint8Array): void {
  if (FRAMES.includes(marker)) {
    damagedUnless(state.frame === null);
    state.frame = readFrame(marker, segment);
  } else if (marker === DHT) readTables(state, segment);
  else if (marker === DQT) readQuantizations(state, segment);
  else if (marker === DRI) state.restartInterval = (segment[2] ?? 0) * 256 + (segment[3] ?? 0);
  else if (marker === APP1) state.orientation = exifOrientation(segment.subarray(2)) ?? state.orientation;
  else damagedUnless((marker >= APP0 && marker <= APP15) || SKIPPED.includes(marker));
}

const COUNTS = 16;

function readTables({ tables }: State, segment: Uint8Array): void {
  for (let at = 2; at < segment.length; ) {
    const counts = segment.subarray(at + 1, at + 1 + COUNTS);
    const end = at + 1 + COUNTS + counts.reduce((sum, count) => sum + count, 0);
    damagedUnless(end <= segment.length);
    tables.set(segment[at] ?? 0, segment.subarray(at + 1, end));
    at = end;
  }
}

function readQuantizations({ quantizations }: State, segment: Uint8Array): void {
  for (let at = 2; at < segment.length; ) {
    const kind = segment[at] ?? 0;
    quantizations.add(kind & 15);
    at += 1 + (kind >> 4 === 0 ? 64 : 128);
    damagedUnless(at <= segment.length);
  }
}

/** Returns the position behind the scan. */
function* checkScan(
  state: State,
  frame: Frame,
  { segment, bytes, at }: { segment: Uint8Array; bytes: Uint8Array; at: number },
): Generator<void, number> {
  const scan = readScan(frame, segment);
  damagedUnless(scan.components.every(({ component }) => state.quantizations.has(component.quantization)));
  const built = new Map<number, HuffmanTable>();
  const needs = (isNeeded: boolean, number: number) => (isNeeded ? tableOf(state, number, built) : null);
  const tables: ScanTables = scan.components.map(({ dc, ac }) => ({
    dc: needs(scan.first === 0 && scan.high === 0, dc),
    ac: needs(scan.last > 0, 16 + ac),
  }));
  const reader = new BitReader(bytes, at);
  const result = yield* decodeScan(frame, scan, tables, reader, state.restartInterval);
  const isCutOff = result.missing > 0 && nextMarker(bytes, reader.at) === bytes.length;
  state.units += result.units;
  damagedUnless(!isCutOff && isIntact(result) && state.units <= UNITS_MAX);
  recordScan(scan);
  return reader.at;
}

function isIntact({ units, missing, broken }: ScanResult): boolean {
  return missing + broken <= units * BROKEN_SHARE_MAX;
}

/** A table is built when a scan needs it: a file can define a million of them. */
function tableOf({ tables }: State, number: number, built: Map<number, HuffmanTable>): HuffmanTable {
  const known = built.get(number);
  if (known) return known;
  const definition = tables.get(number);
  const table = definition && buildTable(definition);
  damagedUnless(table !== undefined && table !== null);
  built.set(number, table);
  return table;
}

function sizeOf({ width, height }: Frame, orientation: number): { width: number; height: number } {
  return orientation >= ORIENTATION_SWAPPED_MIN ? { width: height, height: width } : { width, height };
}
