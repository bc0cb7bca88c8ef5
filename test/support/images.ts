/** Images as users upload them, drawn at run time. */
import { createCanvas } from '@napi-rs/canvas';

export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'gif';

/** A landscape under a sky of this colour; the same arguments give the same bytes. */
export async function drawImage(
  width: number,
  height: number,
  { format = 'jpeg', sky = '#204070' }: { format?: ImageFormat; sky?: string } = {},
): Promise<Buffer<ArrayBuffer>> {
  const canvas = createCanvas(width, height);
  const draw = canvas.getContext('2d');
  draw.fillStyle = sky;
  draw.fillRect(0, 0, width, height);
  draw.fillStyle = '#e0c060';
  draw.beginPath();
  draw.arc(width * 0.7, height * 0.3, Math.min(width, height) * 0.12, 0, 2 * Math.PI);
  draw.fill();
  draw.fillStyle = '#305030';
  draw.fillRect(0, height * 0.65, width, height * 0.35);
  switch (format) {
    case 'gif':
      return Buffer.from(await canvas.encode('gif'));
    case 'png':
      return Buffer.from(await canvas.encode('png'));
    case 'webp':
      return Buffer.from(await canvas.encode('webp'));
    case 'jpeg':
      return Buffer.from(await canvas.encode('jpeg'));
  }
}

/** A PNG that no compressor makes smaller: some three bytes a pixel. */
export async function drawNoise(width: number, height: number): Promise<Buffer<ArrayBuffer>> {
  const canvas = createCanvas(width, height);
  const draw = canvas.getContext('2d');
  const noise = draw.createImageData(width, height);
  let state = 1;
  for (let at = 0; at < noise.data.length; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    noise.data[at] = at % 4 === 3 ? 255 : state >>> 24;
  }
  draw.putImageData(noise, 0, 0);
  return Buffer.from(await canvas.encode('png'));
}
