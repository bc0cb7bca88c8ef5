/** The NAL units of H.264 and H.265: a sample of an MP4 is a row of them, each after its length. */
import { Buffer } from 'node:buffer';

export type NalCodec = 'avc' | 'hevc';

export type NalUnit = { type: number; bytes: Uint8Array };

const TWO_ZEROS = Buffer.from([0, 0]);
/** Some encoders fill a unit up with zeros, to a multiple of 16 bytes. */
const PADDING_MAX = 16;

/** The sample's NAL units; null if it is not exactly a row of them, which means that its bytes were destroyed. */
export function splitSample(sample: Uint8Array, lengthBytes: number, codec: NalCodec): NalUnit[] | null {
  const units: NalUnit[] = [];
  let at = 0;
  while (at + lengthBytes <= sample.length) {
    let length = 0;
    for (let index = 0; index < lengthBytes; index++) length = length * 256 + (sample[at + index] ?? 0);
    at += lengthBytes;
    const bytes = sample.subarray(at, at + length);
    if (bytes.length < length || !isSound(bytes, codec)) return null;
    units.push({ type: typeOf(bytes, codec), bytes });
    at += length;
  }
  return at === sample.length && units.length > 0 ? units : null;
}

export function typeOf(unit: Uint8Array, codec: NalCodec): number {
  const header = unit[0] ?? 0;
  return codec === 'avc' ? header & 0x1f : (header >> 1) & 0x3f;
}

/** The unit without the bytes that keep start codes out of it. */
export function unescaped(unit: Uint8Array): Uint8Array {
  const plain: number[] = [];
  let zeros = 0;
  for (const byte of unit) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    plain.push(byte);
  }
  return Uint8Array.from(plain);
}

/** The first bit of a unit is 0, and inside it two zeros are followed by 3 or more: anything else has been written over it. */
function isSound(unit: Uint8Array, codec: NalCodec): boolean {
  if (unit.length < (codec === 'avc' ? 1 : 2) || (unit[0] ?? 0) >= 0x80) return false;
  let end = unit.length;
  while (end > 0 && unit.length - end < PADDING_MAX && unit[end - 1] === 0) end--;
  const bytes = Buffer.from(unit.buffer, unit.byteOffset, end);
  for (let at = bytes.indexOf(TWO_ZEROS); at >= 0 && at + 2 < end; at = bytes.indexOf(TWO_ZEROS, at + 2)) {
    if ((bytes[at + 2] ?? 0) < 3) return false;
  }
  return true;
}
