/** What to render, from the settings of a generation. */
import type { VideoSettings } from '../../provider.ts';

/** Both sides in pixels, always even. `frames` is exactly what `seconds` at `fps` hold. */
export type Plan = { width: number; height: number; fps: number; frames: number; seconds: number };

/** The shorter side, in pixels. */
const SHORT_SIDE: Record<string, number> = { '360p': 360, '720p': 720, '1080p': 1080 };
const SHAPE: Record<string, [across: number, down: number]> = { '16:9': [16, 9], '9:16': [9, 16], '1:1': [1, 1] };
const SECONDS_MAX = 10;

/** Settings are validated before; a missing or unknown value gets the catalogue's default all the same. */
export function planVideo(settings: VideoSettings): Plan {
  const short = SHORT_SIDE[settings.resolution ?? ''] ?? 720;
  const [across, down] = SHAPE[settings.aspect_ratio ?? ''] ?? [16, 9];
  const unit = short / Math.min(across, down);
  const seconds = Math.min(SECONDS_MAX, Math.max(1, Number.isFinite(settings.duration) ? settings.duration : 5));
  const fps = settings.fps === 30 ? 30 : 24;
  return { width: even(across * unit), height: even(down * unit), fps, frames: Math.round(seconds * fps), seconds };
}

function even(pixels: number): number {
  return Math.round(pixels / 2) * 2;
}
