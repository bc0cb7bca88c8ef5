/** The backdrop: folds of lit silk that drift slowly, computed on a small grid. */

import type { Palette } from './palette.ts';
import { type Grid, toYuv } from './planes.ts';
import type { Random } from './seed.ts';

/** Fills the grid with the backdrop as it is `seconds` into the film. */
export type Backdrop = (grid: Grid, seconds: number) => void;

const RAMP_STEPS = 1024;
const WARPS = 4;

type Cloth = { x: number; y: number; cos: number; sin: number; phase: number; warps: Warp[] };
type Warp = { a: number; b: number; speed: number };

/** Weaves a backdrop for grids of this size. */
export function createBackdrop(grid: Grid, palette: Palette, dice: Random): Backdrop {
  const ramp = buildRamp(palette);
  const cloth = createCloth(grid, dice);
  // One column and row more than the grid, so that its last cells have a slope too.
  const heights = new Float32Array((grid.columns + 3) * (grid.rows + 3));
  return (target, seconds) => {
    weave(grid, heights, cloth, seconds);
    paint(target, heights, ramp, cloth);
  };
}

function createCloth(grid: Grid, dice: Random): Cloth {
  const turn = dice() * Math.PI * 2;
  const scale = 3.1 / Math.max(grid.columns, grid.rows);
  const warps = Array.from({ length: WARPS }, () => ({ a: dice() * 6.3, b: dice() * 6.3, speed: 0.3 + dice() * 0.3 }));
  return {
    x: dice() * 40,
    y: dice() * 40,
    cos: Math.cos(turn) * scale,
    sin: Math.sin(turn) * scale,
    phase: dice() * 6.3,
    warps,
  };
}

/** Bends the plane a few times along itself; what is left of straight waves then looks like cloth. */
function weave(grid: Grid, heights: Float32Array, cloth: Cloth, seconds: number): void {
  for (let row = 0, at = 0; row < grid.rows + 3; row++) {
    for (let column = 0; column < grid.columns + 3; column++, at++) {
      const dx = column - grid.columns / 2;
      const dy = row - grid.rows / 2;
      let x = dx * cloth.cos - dy * cloth.sin + cloth.x + seconds * 0.06;
      let y = dx * cloth.sin + dy * cloth.cos + cloth.y;
      let reach = 0.95;
      let tightness = 1.1;
      for (const warp of cloth.warps) {
        x += reach * wave(tightness * y + seconds * warp.speed + warp.a);
        y += reach * wave(tightness * x - seconds * warp.speed * 0.8 + warp.b);
        reach *= 0.62;
        tightness *= 1.55;
      }
      heights[at] = 0.6 * wave(x * 1.4 + y * 0.8 + cloth.phase) + 0.4 * wave(y * 1.9 - x * 0.5);
    }
  }
}

/** A fold is coloured by its height and lit by its slope. */
function paint(grid: Grid, heights: Float32Array, ramp: Float32Array, cloth: Cloth): void {
  const size = Math.max(grid.columns, grid.rows);
  const lightX = (cloth.cos * 0.8 - cloth.sin * 0.6) * size * size * 0.0105;
  const lightY = (cloth.sin * 0.8 + cloth.cos * 0.6) * size * size * 0.0105;
  const stride = grid.columns + 3;
  for (let row = 0, cell = 0; row < grid.rows + 2; row++) {
    for (let at = row * stride, end = at + grid.columns + 2; at < end; at++, cell++) {
      const height = heights[at] ?? 0;
      const slope = ((heights[at + 1] ?? 0) - height) * lightX + ((heights[at + stride] ?? 0) - height) * lightY;
      const value = 0.37 + 0.3 * height + 0.42 * slope;
      const step = 3 * Math.trunc(Math.min(0.999, Math.max(0, value)) * RAMP_STEPS);
      grid.y[cell] = ramp[step] ?? 16;
      grid.u[cell] = ramp[step + 1] ?? 128;
      grid.v[cell] = ramp[step + 2] ?? 128;
    }
  }
}

/** The palette as a smooth curve of colours, already in the planes' own values. */
function buildRamp(palette: Palette): Float32Array {
  const ramp = new Float32Array(RAMP_STEPS * 3);
  const last = palette.ramp.length - 1;
  for (let step = 0; step < RAMP_STEPS; step++) {
    const position = (step / RAMP_STEPS) * last;
    const from = palette.ramp[Math.trunc(position)] ?? [0, 0, 0];
    const to = palette.ramp[Math.trunc(position) + 1] ?? from;
    const part = position % 1;
    const mix = (channel: 0 | 1 | 2) => from[channel] + (to[channel] - from[channel]) * part;
    ramp.set(toYuv(mix(0), mix(1), mix(2)), step * 3);
  }
  return ramp;
}

/** A sine good to one part in a thousand, at a fifth of the cost of the exact one. */
function wave(angle: number): number {
  const turns = angle * 0.15915494309189535;
  const t = 2 * (turns - Math.floor(turns + 0.5));
  const parabola = 4 * t * (1 - Math.abs(t));
  return parabola * (0.775 + 0.225 * Math.abs(parabola));
}
