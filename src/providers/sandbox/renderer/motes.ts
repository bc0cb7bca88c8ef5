/** Draws motes: small specks of light that rise slowly through the frame and twinkle. */
import type { Rgb } from './palette.ts';
import { type Planes, toYuv } from './planes.ts';
import type { RandomNumber } from './seed.ts';

/** `x` and `y` from 0 to 1 of the frame, `radiusPx` in pixels, speeds per second. */
type Mote = {
  x: number;
  y: number;
  radiusPx: number;
  bright: number;
  rise: number;
  sway: number;
  phase: number;
  pulse: number;
};

export type Motes = (planes: Planes, seconds: number) => void;

/** Small points of light, and a few large ones that look out of focus. */
const SMALL = 60;
const LARGE = 9;

export function createMotes(planes: Planes, colour: Rgb, random: RandomNumber): Motes {
  const unit = Math.min(planes.width, planes.height) / 720;
  const [, u, v] = toYuv(...colour);
  const motes = Array.from({ length: SMALL + LARGE }, (_, index) => createMote(index < LARGE, unit, random));
  return (target, seconds) => {
    for (const mote of motes) {
      const y = wrap(mote.y - seconds * mote.rise, 0.08);
      const x = wrap(mote.x + 0.02 * Math.sin(seconds * mote.sway + mote.phase), 0.08);
      const bright = mote.bright * (0.6 + 0.4 * Math.sin(seconds * mote.pulse + mote.phase * 3));
      addLight(target, x * target.width, y * target.height, mote.radiusPx, bright, u, v);
    }
  };
}

function createMote(large: boolean, unit: number, random: RandomNumber): Mote {
  const depth = random();
  return {
    x: random(),
    y: random(),
    radiusPx: unit * (large ? 26 + 46 * depth : 1.6 + 2.6 * depth ** 3),
    bright: large ? 9 + 12 * random() : 40 + 110 * random() * depth,
    rise: large ? 0.012 + 0.02 * depth : 0.01 + 0.03 * depth,
    sway: 0.3 + random() * 0.6,
    phase: random() * Math.PI * 2,
    pulse: 0.6 + random() * 1.8,
  };
}

/** What leaves the frame at one edge comes back at the other; `margin` keeps the jump out of sight. */
function wrap(position: number, margin: number): number {
  const span = 1 + 2 * margin;
  return ((((position + margin) % span) + span) % span) - margin;
}

/** Adds light that fades from the middle: a point where the radius is small, else a disc with a soft rim. */
function addLight(planes: Planes, x: number, y: number, radiusPx: number, bright: number, u: number, v: number): void {
  forEachPixelNear(planes.width, planes.height, x, y, radiusPx, (at, fall) => {
    planes.y[at] = Math.min(235, (planes.y[at] ?? 0) + bright * fall);
  });
  forEachPixelNear(planes.width / 2, planes.height / 2, x / 2, y / 2, radiusPx / 2, (at, fall) => {
    const part = fall * Math.min(0.5, bright / 110);
    planes.u[at] = (planes.u[at] ?? 0) * (1 - part) + u * part + 0.5;
    planes.v[at] = (planes.v[at] ?? 0) * (1 - part) + v * part + 0.5;
  });
}

function forEachPixelNear(
  width: number,
  height: number,
  x: number,
  y: number,
  radius: number,
  put: (at: number, fall: number) => void,
): void {
  const rim = radius > 8 ? 0.35 : 1;
  for (let row = Math.max(0, Math.ceil(y - radius)); row <= Math.min(height - 1, y + radius); row++) {
    for (let column = Math.max(0, Math.ceil(x - radius)); column <= Math.min(width - 1, x + radius); column++) {
      // Not Math.hypot, which takes ten times as long.
      const distance = Math.sqrt((column - x) ** 2 + (row - y) ** 2) / radius;
      const edge = Math.min(1, Math.max(0, (1 - distance) / rim));
      if (edge > 0) put(row * width + column, edge * edge * (3 - 2 * edge));
    }
  }
}
