/** The configuration record of H.264 and H.265 in an MP4 (`avcC`, `hvcC`): its parameter sets and what they say of the pixels. */
import { type NalCodec, splitSample, typeOf, unescaped } from './nal-units.ts';

/** `chroma` is 1 for 4:2:0, 2 for 4:2:2, 3 for 4:4:4 and RGB; `profile` is the standard's number. */
export type CodecConfig = {
  codec: NalCodec;
  /** How many bytes the length before each NAL unit has. */
  lengthBytes: number;
  profile: number;
  chroma: number;
  bits: number;
  parameterSets: Uint8Array[];
  /** Whether the record holds parameter sets of each type; otherwise they are in the samples. */
  isComplete: boolean;
};

/** The types of parameter sets, in the order in which a record lists them. */
export const PARAMETER_SETS: Record<NalCodec, number[]> = { avc: [7, 8], hevc: [32, 33, 34] };
/** H.264 profiles whose records and sequence parameter sets say how pixels are stored; all others store 8-bit 4:2:0. */
const AVC_HIGH_PROFILES = [100, 110, 122, 244, 44, 83, 86, 118, 128];
const HVCC_HEADER_BYTES = 22;

/** Null if the record is cut off or of another kind. */
export function readCodecConfig(codec: NalCodec, record: Uint8Array): CodecConfig | null {
  try {
    const read = codec === 'avc' ? readAvcC(new Cursor(record)) : readHvcC(new Cursor(record));
    const isComplete = hasAllTypes(codec, read.parameterSets);
    return { codec, isComplete, ...read };
  } catch {
    return null;
  }
}

/** The configuration of a stream whose parameter sets are in its first sample. Null if they are not there either. */
export function completeFromSample(config: CodecConfig, sample: Uint8Array): CodecConfig | null {
  const { codec, lengthBytes } = config;
  const units = splitSample(sample, lengthBytes, codec) ?? [];
  const found = units.filter(({ type }) => PARAMETER_SETS[codec].includes(type)).map(({ bytes }) => bytes);
  const parameterSets = [...config.parameterSets, ...found];
  if (!hasAllTypes(codec, parameterSets)) return null;
  try {
    return { ...config, parameterSets, ...(codec === 'avc' ? readAvcPixels(parameterSets) : {}) };
  } catch {
    return null;
  }
}

function hasAllTypes(codec: NalCodec, sets: readonly Uint8Array[]): boolean {
  return PARAMETER_SETS[codec].every((type) => sets.some((set) => typeOf(set, codec) === type));
}

/** The record with these parameter sets, complete: none of them is needed inside the samples. */
export function writeCodecConfig(codec: NalCodec, record: Uint8Array, sets: readonly Uint8Array[]): Uint8Array {
  const byType = PARAMETER_SETS[codec].map((type) => sets.filter((set) => typeOf(set, codec) === type));
  return codec === 'avc' ? writeAvcC(record, byType) : writeHvcC(record, byType);
}

type Read = Omit<CodecConfig, 'codec' | 'isComplete'>;

function readAvcC(at: Cursor): Read {
  if (at.byte() !== 1) throw new RangeError('not an avcC of version 1');
  at.skip(3);
  const lengthBytes = (at.byte() & 3) + 1;
  const parameterSets = [...at.sets(at.byte() & 0x1f), ...at.sets(at.byte())];
  return { lengthBytes, parameterSets, ...readAvcPixels(parameterSets) };
}

function readAvcPixels(sets: readonly Uint8Array[]): Pick<CodecConfig, 'profile' | 'chroma' | 'bits'> {
  const sequence = sets.find((set) => typeOf(set, 'avc') === 7);
  if (!sequence) return { profile: 0, chroma: 0, bits: 0 };
  const plain = unescaped(sequence);
  const profile = plain[1] ?? 0;
  if (!AVC_HIGH_PROFILES.includes(profile)) return { profile, chroma: 1, bits: 8 };
  const bit = new BitReader(plain.subarray(4));
  bit.exponential();
  const chroma = bit.exponential();
  if (chroma === 3) bit.skip(1);
  const luma = bit.exponential();
  return { profile, chroma, bits: 8 + Math.max(luma, bit.exponential()) };
}

function readHvcC(at: Cursor): Read {
  if (at.byte() !== 1) throw new RangeError('not an hvcC of version 1');
  const profile = at.byte() & 0x1f;
  at.skip(14);
  const chroma = at.byte() & 3;
  const bits = 8 + Math.max(at.byte() & 7, at.byte() & 7);
  at.skip(2);
  const lengthBytes = (at.byte() & 3) + 1;
  const parameterSets: Uint8Array[] = [];
  for (let arrays = at.byte(); arrays > 0; arrays--) {
    at.skip(1);
    parameterSets.push(...at.sets(at.byte() * 256 + at.byte()));
  }
  return { lengthBytes, profile, chroma, bits, parameterSets };
}

function writeAvcC(record: Uint8Array, [sequences = [], pictures = []]: Uint8Array[][]): Uint8Array {
  const [sequence] = sequences;
  const profile = sequence?.subarray(1, 4) ?? record.subarray(1, 4);
  const bytes = [1, ...profile, 0xfc | ((record[4] ?? 3) & 3)];
  bytes.push(0xe0 | sequences.length, ...sequences.flatMap(withLength));
  bytes.push(pictures.length, ...pictures.flatMap(withLength));
  if (sequence && AVC_HIGH_PROFILES.includes(sequence[1] ?? 0)) {
    const { chroma, bits } = readAvcPixels([sequence]);
    bytes.push(0xfc | chroma, 0xf8 | (bits - 8), 0xf8 | (bits - 8), 0);
  }
  return Uint8Array.from(bytes);
}

function writeHvcC(record: Uint8Array, byType: Uint8Array[][]): Uint8Array {
  const arrays = byType.map((sets, index) => ({ sets, type: PARAMETER_SETS.hevc[index] ?? 0 }));
  const filled = arrays.filter(({ sets }) => sets.length > 0);
  const bytes = [...record.subarray(0, HVCC_HEADER_BYTES), filled.length];
  // The highest bit promises that the samples hold no sets of this type.
  for (const { sets, type } of filled)
    bytes.push(0x80 | type, sets.length >> 8, sets.length & 0xff, ...sets.flatMap(withLength));
  return Uint8Array.from(bytes);
}

function withLength(set: Uint8Array): number[] {
  return [set.length >> 8, set.length & 0xff, ...set];
}

/** Throws a `RangeError` at the end of the record. */
class Cursor {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new RangeError('the record is cut off');
    this.#at++;
    return byte;
  }

  skip(bytes: number): void {
    this.#at += bytes;
  }

  sets(count: number): Uint8Array[] {
    return Array.from({ length: count }, () => {
      const length = this.byte() * 256 + this.byte();
      const set = this.#bytes.subarray(this.#at, this.#at + length);
      if (set.length < length) throw new RangeError('a parameter set is cut off');
      this.#at += length;
      return set;
    });
  }
}

class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  skip(bits: number): void {
    this.#at += bits;
  }

  bit(): number {
    const byte = this.#bytes[this.#at >> 3];
    if (byte === undefined) throw new RangeError('the parameter set is cut off');
    const bit = (byte >> (7 - (this.#at & 7))) & 1;
    this.#at++;
    return bit;
  }

  /** An unsigned Exp-Golomb code. */
  exponential(): number {
    let zeros = 0;
    while (this.bit() === 0) zeros++;
    let value = 1;
    for (; zeros > 0; zeros--) value = value * 2 + this.bit();
    return value - 1;
  }
}
