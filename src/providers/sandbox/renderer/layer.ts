/** A layer is drawn once on a canvas and blended over every frame. Only its visible pixels are kept. */
import { createCanvas, type SKRSContext2D } from '@napi-rs/canvas';
import { type Planes, toYuv } from './planes.ts';

/** Pixel by pixel: where it is in its plane, how much it covers (0–255), and its value. */
type Patch = { at: Uint32Array; cover: Uint8Array; value: Uint8Array };
export type Layer = { y: Patch; u: Patch; v: Patch };

/** Draws a layer of the frame's size. */
export function drawLayer(width: number, height: number, draw: (context: SKRSContext2D) => void): Layer {
  const context = createCanvas(width, height).getContext('2d');
  draw(context);
  const { data } = context.getImageData(0, 0, width, height);
  const chroma = shrinkByTwo(data, width, height);
  return { y: toPatch(data, 0), u: toPatch(chroma, 1), v: toPatch(chroma, 2) };
}

/** Blends the layer over the frame. */
export function blendLayer(planes: Planes, layer: Layer): void {
  blend(planes.y, layer.y);
  blend(planes.u, layer.u);
  blend(planes.v, layer.v);
}

function blend(plane: Uint8Array, { at, cover, value }: Patch): void {
  for (let index = 0; index < at.length; index++) {
    const position = at[index] ?? 0;
    const below = plane[position] ?? 0;
    plane[position] = below + (((value[index] ?? 0) - below) * (cover[index] ?? 0)) / 255 + 0.5;
  }
}

/** The visible ones of the RGBA pixels, as values of one plane: 0 luma, 1 and 2 chroma. */
function toPatch(rgba: Uint8ClampedArray, plane: 0 | 1 | 2): Patch {
  let count = 0;
  for (let alpha = 3; alpha < rgba.length; alpha += 4) if (rgba[alpha]) count++;
  const patch = { at: new Uint32Array(count), cover: new Uint8Array(count), value: new Uint8Array(count) };
  for (let pixel = 0, index = 0; pixel < rgba.length / 4; pixel++) {
    const cover = rgba[pixel * 4 + 3] ?? 0;
    if (cover === 0) continue;
    patch.at[index] = pixel;
    patch.cover[index] = cover;
    const yuv = toYuv(rgba[pixel * 4] ?? 0, rgba[pixel * 4 + 1] ?? 0, rgba[pixel * 4 + 2] ?? 0);
    patch.value[index++] = yuv[plane] + 0.5;
  }
  return patch;
}

/** Chroma has one value for four pixels: their colours count by how much each of them covers. */
function shrinkByTwo(rgba: Uint8ClampedArray, width: number, height: number): Uint8ClampedArray {
  const small = new Uint8ClampedArray(rgba.length / 4);
  for (let y = 0, out = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2, out += 4) {
      const corner = (y * width + x) * 4;
      const four = [corner, corner + 4, corner + width * 4, corner + width * 4 + 4];
      let cover = 0;
      for (const pixel of four) cover += rgba[pixel + 3] ?? 0;
      if (cover === 0) continue;
      small[out + 3] = cover / 4;
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (const pixel of four) sum += (rgba[pixel + channel] ?? 0) * (rgba[pixel + 3] ?? 0);
        small[out + channel] = sum / cover;
      }
    }
  }
  return small;
}
