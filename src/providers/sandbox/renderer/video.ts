/** The whole video: silk (the backdrop), motes (specks of light), the prompt, and a progress line. */

import { createEnlarger } from './enlarge.ts';
import { loadFonts } from './fonts.ts';
import { blendLayer } from './layer.ts';
import { createMotes } from './motes.ts';
import { pickPalette } from './palette.ts';
import type { Plan } from './plan.ts';
import { createGrid, createPlanes, type Planes } from './planes.ts';
import { drawProgress } from './progress-line.ts';
import { seededRandom } from './seed.ts';
import { createShade } from './shade.ts';
import { createBackdrop } from './silk.ts';
import { drawTitle } from './title.ts';

/** The longer side of the backdrop's grid: a finer grid would not be visible in the largest frame. */
const GRID_SIDE_MAX = 256;
/** In small frames a finer grid would only take time. */
const CELL_MIN_PX = 4;
/** In 8-bit steps: hides the bands of slow gradients without costing much in the file. */
const GRAIN = 0.7;

export type VideoFrames = { planes: Planes; draw(frame: number): void };

/** The prompt decides the colours, the job the folds and the lights: a second try looks similar, but is another video. */
export function createVideo(plan: Plan, jobId: string, prompt: string): VideoFrames {
  const planes = createPlanes(plan.width, plan.height);
  const cell = Math.max(CELL_MIN_PX, Math.max(plan.width, plan.height) / GRID_SIDE_MAX);
  const grid = createGrid(Math.ceil(plan.width / cell), Math.ceil(plan.height / cell));
  const palette = pickPalette(seededRandom('palette', prompt));
  const random = seededRandom('film', jobId, prompt);
  const title = drawTitle(plan, prompt, palette, loadFonts(prompt));
  const backdrop = createBackdrop(grid, palette, random);
  const shade = createShade(grid, title.area, 0.3);
  const motes = createMotes(planes, palette.glow, random);
  const enlarge = createEnlarger(grid, planes, seededRandom('grain'), GRAIN);
  const draw = (frame: number): void => {
    const seconds = frame / plan.fps;
    backdrop(grid, seconds);
    shade(grid);
    enlarge(grid, planes, frame);
    motes(planes, seconds);
    blendLayer(planes, title.layer);
    drawProgress(planes, palette.accent, (frame + 1) / plan.frames);
  };
  return { planes, draw };
}
