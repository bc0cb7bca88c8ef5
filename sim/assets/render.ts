/** `node sim/assets/render.ts`: renders the stock videos that simulated vendors deliver. They loop seamlessly. */
import { writeFile } from 'node:fs/promises';
import { encodeVideo } from '../../src/providers/sandbox/renderer/encode.ts';
import { createEnlarger } from '../../src/providers/sandbox/renderer/enlarge.ts';
import { fontOf, loadFonts } from '../../src/providers/sandbox/renderer/fonts.ts';
import { blendLayer, drawLayer, type Layer } from '../../src/providers/sandbox/renderer/layer.ts';
import { pickPalette } from '../../src/providers/sandbox/renderer/palette.ts';
import type { Plan } from '../../src/providers/sandbox/renderer/plan.ts';
import { createGrid, createPlanes, type Grid } from '../../src/providers/sandbox/renderer/planes.ts';
import { seededRandom } from '../../src/providers/sandbox/renderer/seed.ts';
import { createShade } from '../../src/providers/sandbox/renderer/shade.ts';
import { createBackdrop } from '../../src/providers/sandbox/renderer/silk.ts';

const SHAPES = ['16x9', '9x16', '1x1', '4x5', '5x4', '3x2', '2x3'];
const LINES = ['A stock film', 'from a simulated vendor'];
const SHORT_SIDE_PX = 360;
const SECONDS = 2;
const FPS = 24;
const GRID_SIDE = 128;
/** The folds move slowly: at normal speed two seconds show too little of it. */
const SPEED = 2;

for (const shape of SHAPES) {
  const plan = planOf(shape);
  await writeFile(new URL(`./${shape}.mp4`, import.meta.url), await encodeVideo(plan, videoOf(plan), () => {}));
}

function planOf(shape: string): Plan {
  const [across = 16, down = 9] = shape.split('x').map(Number);
  const unit = SHORT_SIDE_PX / Math.min(across, down);
  const even = (pixels: number) => Math.round(pixels / 2) * 2;
  const size = { width: even(across * unit), height: even(down * unit) };
  return { ...size, fps: FPS, frames: SECONDS * FPS, seconds: SECONDS };
}

function videoOf(plan: Plan) {
  const planes = createPlanes(plan.width, plan.height);
  const cell = Math.max(plan.width, plan.height) / GRID_SIDE;
  const size = [Math.ceil(plan.width / cell), Math.ceil(plan.height / cell)] as const;
  const [grid, ahead] = [createGrid(...size), createGrid(...size)];
  const backdrop = createBackdrop(grid, pickPalette(seededRandom('a stock film')), seededRandom('folds'));
  const shade = createShade(grid, { left: 0.2, right: 0.8, top: 0.4, bottom: 0.6 }, 0.3);
  const enlarge = createEnlarger(grid, planes, seededRandom('grain'), 0);
  const letters = lettersOf(plan);
  const draw = (frame: number): void => {
    const part = frame / plan.frames;
    backdrop(grid, SPEED * SECONDS * part);
    backdrop(ahead, SPEED * SECONDS * (part + 1));
    mix(grid, ahead, 1 - part);
    shade(grid);
    enlarge(grid, planes, 0);
    blendLayer(planes, letters);
  };
  return { planes, draw };
}

/** Fades from the frames that would follow the last one to the frames that lead to it. */
function mix(into: Grid, other: Grid, part: number): void {
  for (const plane of ['y', 'u', 'v'] as const) {
    for (const [at, value] of other[plane].entries()) {
      into[plane][at] = (into[plane][at] ?? 0) * (1 - part) + value * part;
    }
  }
}

function lettersOf({ width, height }: Plan): Layer {
  loadFonts(LINES.join(''));
  const sizePx = Math.min(SHORT_SIDE_PX * 0.1, width * 0.068);
  return drawLayer(width, height, (context) => {
    context.fillStyle = '#ffffff';
    context.textAlign = 'center';
    for (const [index, line] of LINES.entries()) {
      context.font = fontOf(sizePx * (index === 0 ? 1.2 : 0.8), index === 0 ? 'bold' : 'normal');
      context.fillText(line, width / 2, height / 2 + (index === 0 ? -0.15 : 1.15) * sizePx);
    }
  });
}
