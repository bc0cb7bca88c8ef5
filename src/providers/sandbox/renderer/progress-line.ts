/** A thin line along the bottom that shows how much of the video has been played. */
import type { Rgb } from './palette.ts';
import { type Planes, toYuv } from './planes.ts';

/** `part` of the line is filled, 0–1; the rest is a faint track. */
export function drawProgress(planes: Planes, colour: Rgb, part: number): void {
  const { width, height } = planes;
  const thicknessPx = 2 * Math.max(1, Math.round(Math.min(width, height) / 360));
  const filledPx = Math.round((width / 2) * part) * 2;
  const [y, u, v] = toYuv(...colour);
  for (let row = height - thicknessPx; row < height; row++) {
    planes.y.fill(y, row * width, row * width + filledPx);
    planes.y.fill(44, row * width + filledPx, (row + 1) * width);
  }
  for (let row = (height - thicknessPx) / 2; row < height / 2; row++) {
    planes.u.fill(u, (row * width) / 2, (row * width + filledPx) / 2);
    planes.v.fill(v, (row * width) / 2, (row * width + filledPx) / 2);
  }
}
