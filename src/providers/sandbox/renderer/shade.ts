/** Darkens the backdrop behind the text and in the corners, so that white text is legible on any palette. */
import type { Grid } from './planes.ts';

/** Left, top, right, bottom as parts of the frame, 0–1. */
export type Area = { left: number; top: number; right: number; bottom: number };

/** How much of the light is removed behind the text, at the bottom, and in the corners. */
const BEHIND_TEXT = 0.36;
const AT_BOTTOM = 0.45;
const IN_CORNERS = 0.22;

/** Computes the shade once and returns a function that applies it to a painted grid. `soft` is the width of its edge, 0–1. */
export function createShade(grid: Grid, text: Area, soft: number): (grid: Grid) => void {
  const keeps = new Float32Array(grid.y.length);
  for (let row = 0, at = 0; row < grid.rows + 2; row++) {
    for (let column = 0; column < grid.columns + 2; column++, at++) {
      const x = (column - 0.5) / grid.columns;
      const y = (row - 0.5) / grid.rows;
      const outside = Math.hypot(
        Math.max(text.left - x, x - text.right, 0),
        Math.max(text.top - y, y - text.bottom, 0),
      );
      const corner = Math.min(1, ((x - 0.5) ** 2 + (y - 0.5) ** 2) * 1.6);
      const behind = 1 - BEHIND_TEXT * ease(1 - outside / soft);
      keeps[at] = behind * (1 - IN_CORNERS * corner) * (1 - AT_BOTTOM * ease((y - 0.8) / 0.2));
    }
  }
  return (target) => {
    for (let at = 0; at < keeps.length; at++) {
      const keep = keeps[at] ?? 1;
      target.y[at] = 16 + ((target.y[at] ?? 16) - 16) * keep;
      target.u[at] = 128 + ((target.u[at] ?? 128) - 128) * keep;
      target.v[at] = 128 + ((target.v[at] ?? 128) - 128) * keep;
    }
  };
}

function ease(part: number): number {
  const t = Math.min(1, Math.max(0, part));
  return t * t * (3 - 2 * t);
}
