/** Enlarges a small grid to a whole frame without visible cells or bands: quadratic B-splines and a grain of noise. */
import type { Grid, Planes } from './planes.ts';
import type { RandomNumber } from './seed.ts';

/** Enlarges grids of one size to frames of one size, with another grain in each frame. */
export type Enlarger = (grid: Grid, planes: Planes, frame: number) => void;

/** For each output position: the first of the three grid cells that matter, and their three weights. */
type Taps = { size: number; first: Uint16Array; weights: Float32Array };

/** Enough noise that no repetition is visible; each row of each frame starts at another place in it. */
const NOISE_LENGTH = 65_536;
const ROW_STEP = 9_473;
const FRAME_STEP = 27_961;

/** Integers are twice as fast here: a cell in 128ths, a weight in 512ths, their product in 65536ths. */
const CELL_ONE = 128;
const WEIGHT_ONE = 512;
const PIXEL_ONE = CELL_ONE * WEIGHT_ONE;
const PIXEL_BITS = 16;

/** `grain` is the noise's amplitude in 8-bit steps: about 1 hides the bands of slow gradients. */
export function createEnlarger(grid: Grid, planes: Planes, random: RandomNumber, grain: number): Enlarger {
  const { width, height } = planes;
  const noise = Int32Array.from(
    { length: NOISE_LENGTH + width },
    () => PIXEL_ONE * (0.5 + grain * (random() - random())),
  );
  const luma = { across: tapsFor(width, grid.columns), down: tapsFor(height, grid.rows) };
  const chroma = { across: tapsFor(width / 2, grid.columns), down: tapsFor(height / 2, grid.rows) };
  const wide = new Int32Array(width * (grid.rows + 2));
  return (from, into, frame) => {
    const planesOf = [
      [from.y, luma, into.y],
      [from.u, chroma, into.u],
      [from.v, chroma, into.v],
    ] as const;
    for (const [index, [cells, taps, pixels]] of planesOf.entries()) {
      enlargeAcross(cells, grid, taps.across, wide);
      enlargeDown(wide, taps.across.size, taps.down, pixels, noise, frame * FRAME_STEP + index * ROW_STEP * 7);
    }
  };
}

function tapsFor(size: number, cells: number): Taps {
  const first = new Uint16Array(size);
  const weights = new Float32Array(size * 3);
  for (let at = 0; at < size; at++) {
    const position = ((at + 0.5) * cells) / size - 0.5;
    const nearest = Math.min(cells - 1, Math.max(0, Math.round(position)));
    const f = position - nearest;
    // The grid's border shifts every cell by one, so the left neighbour of cell n stands at n.
    first[at] = nearest;
    weights.set([0.5 * (0.5 - f) ** 2, 0.75 - f * f, 0.5 * (0.5 + f) ** 2], at * 3);
  }
  return { size, first, weights };
}

function enlargeAcross(cells: Float32Array, grid: Grid, across: Taps, wide: Int32Array): void {
  const { size, first, weights } = across;
  for (let row = 0, out = 0; row < grid.rows + 2; row++) {
    const start = row * (grid.columns + 2);
    for (let x = 0, w = 0; x < size; x++, w += 3, out++) {
      const at = start + (first[x] ?? 0);
      wide[out] =
        CELL_ONE *
        ((weights[w] ?? 0) * (cells[at] ?? 0) +
          (weights[w + 1] ?? 0) * (cells[at + 1] ?? 0) +
          (weights[w + 2] ?? 0) * (cells[at + 2] ?? 0));
    }
  }
}

function enlargeDown(
  wide: Int32Array,
  width: number,
  down: Taps,
  pixels: Uint8Array,
  noise: Int32Array,
  salt: number,
): void {
  for (let line = 0, out = 0; line < down.size; line++) {
    const top = (down.first[line] ?? 0) * width;
    const above = Math.round(WEIGHT_ONE * (down.weights[line * 3] ?? 0));
    const below = Math.round(WEIGHT_ONE * (down.weights[line * 3 + 2] ?? 0));
    const middle = WEIGHT_ONE - above - below;
    const grainAt = (salt + line * ROW_STEP) % NOISE_LENGTH;
    for (let x = 0; x < width; x++, out++) {
      const at = top + x;
      const sum =
        Math.imul(above, wide[at] ?? 0) +
        Math.imul(middle, wide[at + width] ?? 0) +
        Math.imul(below, wide[at + 2 * width] ?? 0);
      pixels[out] = (sum + (noise[grainAt + x] ?? 0)) >> PIXEL_BITS;
    }
  }
}
