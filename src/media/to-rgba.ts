/** Converts decoded pixels to the colours of a canvas. */
import type { VideoSample } from 'mediabunny';

/** Bits per value of the formats with one colour for two by two pixels. H.265 stores up to 12. */
const PLANAR_420: Record<string, number> = { I420: 8, I420P10: 10, I420P12: 12 };

/** Returns RGBA bytes, `codedWidth` × `codedHeight`. Throws if the pixel format cannot be converted. */
export async function toRgba(sample: VideoSample): Promise<Uint8ClampedArray> {
  const bits = PLANAR_420[sample.format ?? ''];
  if (bits) return fromPlanes(sample, bits);
  const rgba = new Uint8ClampedArray(sample.allocationSize({ format: 'RGBA' }));
  await sample.copyTo(rgba, { format: 'RGBA' });
  return rgba;
}

/** Done here, because the decoder's own conversion treats every video as BT.601 and gives HD videos a tint. */
async function fromPlanes(sample: VideoSample, bits: number): Promise<Uint8ClampedArray> {
  const { codedWidth: width, codedHeight: height } = sample;
  const bytes = new Uint8Array(sample.allocationSize());
  const [y, u, v] = await sample.copyTo(bytes);
  if (!y || !u || !v) throw new Error('planes are missing');
  const values = bits === 8 ? bytes : new Uint16Array(bytes.buffer);
  const size = values.BYTES_PER_ELEMENT;
  const scale = 2 ** (8 - bits);
  const { gain, floor, redV, greenU, greenV, blueU } = matrixOf(sample);
  const rgba = new Uint8ClampedArray(width * height * 4);
  for (let row = 0, out = 0; row < height; row++) {
    const lumaRow = (y.offset + row * y.stride) / size;
    const uRow = (u.offset + (row >> 1) * u.stride) / size;
    const vRow = (v.offset + (row >> 1) * v.stride) / size;
    for (let column = 0; column < width; column++, out += 4) {
      const luma = ((values[lumaRow + column] ?? 0) * scale - floor) * gain;
      const cb = (values[uRow + (column >> 1)] ?? 0) * scale - 128;
      const cr = (values[vRow + (column >> 1)] ?? 0) * scale - 128;
      rgba[out] = luma + redV * cr;
      rgba[out + 1] = luma - greenU * cb - greenV * cr;
      rgba[out + 2] = luma + blueU * cb;
      rgba[out + 3] = 255;
    }
  }
  return rgba;
}

/** The matrix of wide-gamut video differs little from BT.709's. Without a label, HD is BT.709 and smaller video is BT.601, as players assume. */
function matrixOf(sample: VideoSample) {
  const { matrix, fullRange } = sample.colorSpace;
  const hd = matrix
    ? matrix.startsWith('bt709') || matrix.startsWith('bt2020')
    : Math.min(sample.codedWidth, sample.codedHeight) >= 720;
  const [kr, kb] = hd ? [0.2126, 0.0722] : [0.299, 0.114];
  const kg = 1 - kr - kb;
  const chroma = fullRange ? 1 : 255 / 224;
  return {
    gain: fullRange ? 1 : 255 / 219,
    floor: fullRange ? 0 : 16,
    redV: 2 * (1 - kr) * chroma,
    greenU: ((2 * (1 - kb) * kb) / kg) * chroma,
    greenV: ((2 * (1 - kr) * kr) / kg) * chroma,
    blueU: 2 * (1 - kb) * chroma,
  };
}
