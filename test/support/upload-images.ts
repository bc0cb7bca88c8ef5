/** Real images of any size, made at run time, and ways to change them. */
import { createCanvas } from '@napi-rs/canvas';

export type ImageKind = 'png' | 'jpeg' | 'webp';

/** An image in one colour; another `shade` gives other bytes. */
export function makeImage(kind: ImageKind, width = 320, height = 320, shade = 0): Buffer {
  const canvas = createCanvas(width, height);
  const draw = canvas.getContext('2d');
  draw.fillStyle = `hsl(${shade % 360} 70% 50%)`;
  draw.fillRect(0, 0, width, height);
  draw.fillStyle = '#fff';
  draw.fillRect(width / 4, height / 4, width / 8 + (shade % 7), height / 8);
  if (kind === 'png') return canvas.toBuffer('image/png');
  return kind === 'jpeg' ? canvas.toBuffer('image/jpeg') : canvas.toBuffer('image/webp');
}

/** A complete PNG of exactly `bytes` bytes: an ancillary chunk fills the rest. */
export function pngOfBytes(bytes: number): Buffer {
  const png = makeImage('png');
  const filler = Buffer.alloc(bytes - png.length);
  filler.writeUInt32BE(filler.length - 12, 0);
  filler.write('teSt', 4, 'latin1');
  // Before the last chunk, which is twelve bytes long.
  return Buffer.concat([png.subarray(0, -12), filler, png.subarray(-12)]);
}

/** A JPEG with this orientation in its EXIF data. */
export function jpegWithOrientation(orientation: number, width: number, height: number): Buffer {
  const jpeg = makeImage('jpeg', width, height);
  const tiff = Buffer.from([
    ...[0x4d, 0x4d, 0, 0x2a, 0, 0, 0, 8, 0, 1],
    ...[0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0],
  ]);
  const content = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff]);
  const head = Buffer.from([0xff, 0xe1, 0, content.length + 2]);
  return Buffer.concat([jpeg.subarray(0, 2), head, content, jpeg.subarray(2)]);
}
