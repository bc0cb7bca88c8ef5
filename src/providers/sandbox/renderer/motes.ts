/** Specks of light that rise slowly through the picture and twinkle. */
import type { Rgb } from './palette.ts';
import { type Planes, toYuv } from './planes.ts';
import type { Random } from './seed.ts';

/** `x` and `y` from 0 to 1 of the picture, `radiusPx` in pixels, speeds per second. */
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

/** About as many as fingers can count per tenth of the picture; a few are large and out of focus. */
const SMALL = 60;
const LARGE = 9;

export function createMotes(planes: Planes, colour: Rgb, dice: Random): Motes {
  const unit = Math.min(planes.width, planes.height) / 720;
  const [, u, v] = toYuv(...colour);
  const motes = Array.from({ length: SMALL + LARGE }, (_, index) => createMote(index < LARGE, unit, dice));
  return (target, seconds) => {
    for (const mote of motes) {
      const y = wrap(mote.y - seconds * mote.rise, 0.08);
      const x = wrap(mote.x + 0.02 * Math.sin(seconds * mote.sway + mote.phase), 0.08);
      const bright = mote.bright * (0.6 + 0.4 * Math.sin(seconds * mote.pulse + mote.phase * 3));
      glow(target, x * target.width, y * target.height, mote.radiusPx, bright, u, v);
    }
  };
}

function createMote(large: boolean, unit: number, dice: Random): Mote {
  const depth = dice();
  return {
    x: dice(),
    y: dice(),
    radiusPx: unit * (large ? 26 + 46 * depth : 1.6 + 2.6 * depth ** 3),
    bright: large ? 9 + 12 * dice() : 40 + 110 * dice() * depth,
    rise: large ? 0.012 + 0.02 * depth : 0.01 + 0.03 * depth,
    sway: 0.3 + dice() * 0.6,
    phase: dice() * Math.PI * 2,
    pulse: 0.6 + dice() * 1.8,
  };
}

/** Leaves at one edge, comes back at the other, both out of sight by `margin`. */
function wrap(position: number, margin: number): number {
  const span = 1 + 2 * margin;
  return ((((position + margin) % span) + span) % span) - margin;
}

/** Adds light that fades from the middle; small ones are points, large ones discs with a soft rim. */
function glow(planes: Planes, x: number, y: number, radiusPx: number, bright: number, u: number, v: number): void {
  spread(planes.width, planes.height, x, y, radiusPx, (at, fall) => {
    planes.y[at] = Math.min(235, (planes.y[at] ?? 0) + bright * fall);
  });
  spread(planes.width / 2, planes.height / 2, x / 2, y / 2, radiusPx / 2, (at, fall) => {
    const part = fall * Math.min(0.5, bright / 110);
    planes.u[at] = (planes.u[at] ?? 0) * (1 - part) + u * part + 0.5;
    planes.v[at] = (planes.v[at] ?? 0) * (1 - part) + v * part + 0.5;
  });
}

function spread(
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
