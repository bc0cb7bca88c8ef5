/** A seeded generator: the same words always give the same numbers, so the same job always gives the same video. */
import { createHash } from 'node:crypto';

/** Returns the next number of a fixed sequence, from 0 up to but not including 1. */
export type RandomNumber = () => number;

/** A generator whose sequence depends on `words` alone (mulberry32, seeded from a SHA-256). */
export function seededRandom(...words: string[]): RandomNumber {
  let state = createHash('sha256').update(words.join('\u0000')).digest().readUInt32LE(0);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
