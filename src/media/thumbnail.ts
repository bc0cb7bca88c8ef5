/** Makes the thumbnail of a video. */
import { open, rename, rm } from 'node:fs/promises';
import { type Canvas, createCanvas } from '@napi-rs/canvas';
import type { VideoSample } from 'mediabunny';
import { toRgba } from './to-rgba.ts';

/** `brightness` is that of the lightest part, 0–255. */
export type DrawnFrame = { canvas: Canvas; brightness: number };

/** A frame without anything lighter than this looks black. */
export const BRIGHTNESS_MIN = 40;
const SIDE_PIXELS_MAX = 1280;
const JPEG_QUALITY = 82;

/** Draws the frame as it is displayed, upright, `width` × `height` or smaller; null if its pixel format is unsupported. */
export async function drawFrame(sample: VideoSample, width: number, height: number): Promise<DrawnFrame | null> {
  const rgba = await toRgba(sample).catch(() => null);
  if (!rgba) return null;
  const frame = createCanvas(sample.codedWidth, sample.codedHeight);
  const pixels = frame.getContext('2d').createImageData(frame.width, frame.height);
  pixels.data.set(rgba);
  frame.getContext('2d').putImageData(pixels, 0, 0);
  const scale = Math.min(1, SIDE_PIXELS_MAX / Math.max(width, height));
  const canvas = createCanvas(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  const isSideways = sample.rotation % 180 !== 0;
  const [across, down] = isSideways ? [canvas.height, canvas.width] : [canvas.width, canvas.height];
  context.translate(canvas.width / 2, canvas.height / 2);
  context.rotate((sample.rotation * Math.PI) / 180);
  context.drawImage(frame, -across / 2, -down / 2, across, down);
  return { canvas, brightness: brightnessOf(canvas) };
}

/** Writes the frame as a JPEG: under another name first, so that `path` never holds half a file. */
export async function writeThumbnail(frame: DrawnFrame, path: string): Promise<void> {
  const bytes = await frame.canvas.encode('jpeg', JPEG_QUALITY);
  const temporary = `${path}.${process.pid}.part`;
  try {
    const file = await open(temporary, 'w', 0o600);
    await file.writeFile(bytes).finally(() => file.close());
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Measured on a small copy, so that a single bright pixel does not count. */
function brightnessOf(canvas: Canvas): number {
  const small = createCanvas(32, 32);
  const context = small.getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.drawImage(canvas, 0, 0, 32, 32);
  const { data } = context.getImageData(0, 0, 32, 32);
  let brightest = 0;
  for (let at = 0; at < data.length; at += 4) {
    const luma = 0.2126 * (data[at] ?? 0) + 0.7152 * (data[at + 1] ?? 0) + 0.0722 * (data[at + 2] ?? 0);
    brightest = Math.max(brightest, luma);
  }
  return brightest;
}
