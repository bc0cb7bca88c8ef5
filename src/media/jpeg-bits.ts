/** Reads the bits of a JPEG's scan and the Huffman codes in them. */

export type HuffmanTable = {
  /** By the next nine bits: the code's length × 256 + its symbol; 0 for longer codes. */
  short: Uint16Array;
  /** By length: the largest code of that length (-1 if there is none), and what to add to a code to find its symbol. */
  largest: Int32Array;
  offset: Int32Array;
  symbols: Uint8Array;
};

const SHORT_BITS = 9;
const CODE_BITS_MAX = 16;

/** `definition`: how many codes there are of each length from 1 to 16, then the symbols. Null if it describes no code. */
export function buildTable(definition: Uint8Array): HuffmanTable | null {
  const symbols = definition.subarray(CODE_BITS_MAX);
  const table: HuffmanTable = {
    short: new Uint16Array(1 << SHORT_BITS),
    largest: new Int32Array(CODE_BITS_MAX + 1).fill(-1),
    offset: new Int32Array(CODE_BITS_MAX + 1),
    symbols,
  };
  let [code, index] = [0, 0];
  for (let length = 1; length <= CODE_BITS_MAX; length += 1, code <<= 1) {
    const count = definition[length - 1] ?? 0;
    if (code + count > 1 << length) return null;
    table.offset[length] = index - code;
    for (let each = 0; each < count; each += 1, code += 1, index += 1) {
      if (length > SHORT_BITS) continue;
      const from = code << (SHORT_BITS - length);
      table.short.fill(length * 256 + (symbols[index] ?? 0), from, from + (1 << (SHORT_BITS - length)));
    }
    if (count > 0) table.largest[length] = code - 1;
  }
  return index <= symbols.length ? table : null;
}

/** Stops before the next marker or at the end of the file; from there on it returns zeros, and `isShort` is true. */
export class BitReader {
  /** The position of the next byte: at the end of the scan, that of its next marker or of stray bytes. */
  at: number;
  private readonly bytes: Uint8Array;
  private bits = 0;
  private count = 0;
  /** How many of the bits in `bits` are zeros that the file does not have. */
  private missing = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  /** Whether more bits were taken than there are. */
  get isShort(): boolean {
    return this.count < this.missing;
  }

  /** At most 16 bits. */
  take(length: number): number {
    if (length === 0) return 0;
    this.fill(length);
    this.count -= length;
    return (this.bits >>> this.count) & ((1 << length) - 1);
  }

  /** The next symbol; -1 for bits that are no code. */
  symbol(table: HuffmanTable): number {
    this.fill(CODE_BITS_MAX);
    const next = (this.bits >>> (this.count - CODE_BITS_MAX)) & 0xffff;
    const short = table.short[next >> (CODE_BITS_MAX - SHORT_BITS)] ?? 0;
    if (short > 0) {
      this.count -= short >> 8;
      return short & 0xff;
    }
    for (let length = SHORT_BITS + 1; length <= CODE_BITS_MAX; length += 1) {
      const code = next >> (CODE_BITS_MAX - length);
      if (code > (table.largest[length] ?? -1)) continue;
      this.count -= length;
      return table.symbols[code + (table.offset[length] ?? 0)] ?? -1;
    }
    this.count -= CODE_BITS_MAX;
    return -1;
  }

  /** Drops the bits before the next restart marker, and goes on after it. False if the next marker is another one. */
  restart(): boolean {
    const at = nextMarker(this.bytes, this.at);
    const marker = this.bytes[at + 1] ?? 0;
    if (at + 2 > this.bytes.length || !isRestart(marker)) return false;
    [this.at, this.bits, this.count, this.missing] = [at + 2, 0, 0, 0];
    return true;
  }

  private fill(length: number): void {
    while (this.count < length) {
      let byte = this.bytes[this.at];
      if (byte === 0xff && this.bytes[this.at + 1] !== 0) byte = undefined;
      if (byte === undefined) this.missing += 8;
      else this.at += byte === 0xff ? 2 : 1;
      this.bits = (this.bits << 8) | (byte ?? 0);
      this.count += 8;
    }
  }
}

export function isRestart(marker: number): boolean {
  return marker >= 0xd0 && marker <= 0xd7;
}

/** Far more than cameras write between segments by mistake. */
const STRAY_BYTES_MAX = 1024 * 1024;

/**
 * The position of the next marker: bytes between segments, and an FF that is stuffed or repeated, are skipped. The end of the
 * file if there is none near.
 */
export function nextMarker(bytes: Uint8Array, from: number): number {
  const end = Math.min(bytes.length - 1, from + STRAY_BYTES_MAX);
  for (let at = from; at < end; at += 1) {
    if (bytes[at] === 0xff && bytes[at + 1] !== 0 && bytes[at + 1] !== 0xff) return at;
  }
  return bytes.length;
}
