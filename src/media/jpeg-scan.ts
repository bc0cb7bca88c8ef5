/** Decodes a JPEG's scan as far as it takes to know whether all its blocks are there. No pixel is computed. */
import type { BitReader, HuffmanTable } from './jpeg-bits.ts';
import type { Component, Frame, Scan } from './jpeg-frame.ts';

/** `null` where the scan needs no such table. */
export type ScanTables = { dc: HuffmanTable | null; ac: HuffmanTable | null }[];

/** `missing`: units for which the scan has no data. `broken`: blocks that do not decode. */
export type ScanResult = { units: number; missing: number; broken: number };

type Coder = (component: Component, tables: ScanTables[number], block: number) => boolean;

const UNITS_PER_STEP = 5_000;

/** Decodes a scan whose restart markers are `interval` units apart (0: there are none). */
export function* decodeScan(
  frame: Frame,
  scan: Scan,
  tables: ScanTables,
  reader: BitReader,
  interval: number,
): Generator<void, ScanResult> {
  const coder = coderOf(frame, scan, reader);
  const [single] = scan.components.length === 1 ? scan.components : [];
  const units = single
    ? single.component.blocksAcross * single.component.blocksDown
    : frame.unitsAcross * frame.unitsDown;
  const blocks = scan.components.flatMap(({ component }, index) =>
    Array.from({ length: single ? 1 : component.across * component.down }, () => ({ component, index })),
  );
  const result: ScanResult = { units, missing: 0, broken: 0 };
  for (let unit = 0; unit < units; unit += 1) {
    if (unit % UNITS_PER_STEP === UNITS_PER_STEP - 1) yield;
    if (interval > 0 && unit > 0 && unit % interval === 0) {
      if (!reader.restart()) return { ...result, missing: result.missing + units - unit };
      coder.restart();
    }
    for (const { component, index } of blocks) {
      const decoded = coder.decode(component, tables[index] ?? NO_TABLES, unit);
      if (!decoded) result.broken += 1;
    }
    if (!reader.isShort) continue;
    // The rest up to the next restart marker, or of the scan, is missing.
    const next = interval > 0 ? Math.min(units, unit - (unit % interval) + interval) : units;
    result.missing += next - unit;
    unit = next - 1;
  }
  return result;
}

const NO_TABLES = { dc: null, ac: null };

function coderOf(frame: Frame, scan: Scan, reader: BitReader): { decode: Coder; restart(): void } {
  const nothing = () => {};
  if (!frame.isProgressive) return { decode: sequential(reader), restart: nothing };
  if (scan.first > 0) return scan.high === 0 ? firstBits(scan, reader) : nextBits(scan, reader);
  if (scan.high === 0) return { decode: (_, { dc }) => decodeDifference(reader, dc), restart: nothing };
  const refine = () => {
    reader.take(1);
    return true;
  };
  return { decode: refine, restart: nothing };
}

const DIFFERENCE_BITS_MAX = 15;

function decodeDifference(reader: BitReader, table: HuffmanTable | null): boolean {
  const bits = table ? reader.symbol(table) : -1;
  if (bits < 0 || bits > DIFFERENCE_BITS_MAX) return false;
  reader.take(bits);
  return true;
}

/** A run of sixteen zeros. Other runs without a value end the block. */
const ZEROS = 15;

function sequential(reader: BitReader): Coder {
  return (_, { dc, ac }) => {
    if (!ac || !decodeDifference(reader, dc)) return false;
    for (let index = 1; index < 64; index += 1) {
      const symbol = reader.symbol(ac);
      if (symbol < 0) return false;
      const [run, bits] = [symbol >> 4, symbol & 15];
      if (bits === 0 && run !== ZEROS) return true;
      index += run;
      if (index > 63) return false;
      reader.take(bits);
    }
    return true;
  };
}

/** The first scan of a band of coefficients in a progressive frame. A code may end this block and many after it. */
function firstBits({ first, last }: Scan, reader: BitReader): { decode: Coder; restart(): void } {
  let endedBlocks = 0;
  const restart = () => {
    endedBlocks = 0;
  };
  const decode: Coder = (component, { ac }, block) => {
    if (endedBlocks > 0) {
      endedBlocks -= 1;
      return true;
    }
    if (!ac) return false;
    for (let index = first; index <= last; index += 1) {
      const symbol = reader.symbol(ac);
      if (symbol < 0) return false;
      const [run, bits] = [symbol >> 4, symbol & 15];
      if (bits === 0 && run !== ZEROS) {
        endedBlocks = (1 << run) - 1 + reader.take(run);
        return true;
      }
      index += run;
      if (index > 63) return false;
      reader.take(bits);
      if (bits > 0) setKnown(component, block, index);
    }
    return true;
  };
  return { decode, restart };
}

/** A later scan of a band: one more bit of each coefficient that is not zero, and those that appear with this bit. */
function nextBits({ first, last }: Scan, reader: BitReader): { decode: Coder; restart(): void } {
  let endedBlocks = 0;
  const restart = () => {
    endedBlocks = 0;
  };
  const decode: Coder = (component, { ac }, block) => {
    let index = first;
    while (endedBlocks === 0 && index <= last) {
      const symbol = ac ? reader.symbol(ac) : -1;
      if (symbol < 0) return false;
      const [run, bits] = [symbol >> 4, symbol & 15];
      if (bits > 1) return false;
      if (bits === 0 && run !== ZEROS) {
        endedBlocks = (1 << run) + reader.take(run);
        break;
      }
      if (bits === 1) reader.take(1);
      for (let zeros = run; index <= last; index += 1) {
        if (isKnown(component, block, index)) reader.take(1);
        else if (zeros === 0) break;
        else zeros -= 1;
      }
      if (bits === 1 && index <= last) setKnown(component, block, index);
      index += 1;
    }
    if (endedBlocks === 0) return true;
    endedBlocks -= 1;
    for (let bits = countKnown(component, block, index, last); bits > 0; bits -= TAKE_MAX) {
      reader.take(Math.min(bits, TAKE_MAX));
    }
    return true;
  };
  return { decode, restart };
}

const TAKE_MAX = 16;

function countKnown({ known }: Component, block: number, first: number, last: number): number {
  let count = 0;
  for (let word = 0; word < 2; word += 1) {
    let bits = known?.[block * 2 + word] ?? 0;
    const [from, to] = [Math.max(first - word * 32, 0), Math.min(last - word * 32, 31)];
    if (bits === 0 || from > to) continue;
    // A shift by 32 would be none.
    bits = (bits >>> from) << from;
    if (to < 31) bits &= (1 << (to + 1)) - 1;
    for (; bits !== 0; bits &= bits - 1) count += 1;
  }
  return count;
}

function setKnown({ known }: Component, block: number, index: number): void {
  const at = block * 2 + (index >> 5);
  if (known) known[at] = (known[at] ?? 0) | (1 << (index & 31));
}

function isKnown({ known }: Component, block: number, index: number): boolean {
  return (((known?.[block * 2 + (index >> 5)] ?? 0) >>> (index & 31)) & 1) === 1;
}
