/**
 * A frame in the encoder's format: 8-bit I420 planes, BT.709, limited range. Drawing straight into them saves the conversion
 * from RGBA, which costs more than everything else together.
 */
export type Planes = { width: number; height: number; bytes: Uint8Array; y: Uint8Array; u: Uint8Array; v: Uint8Array };

/** One colour or value grid per plane, much smaller than the frame, with a border of one cell all round. */
export type Grid = { columns: number; rows: number; y: Float32Array; u: Float32Array; v: Float32Array };

export function createPlanes(width: number, height: number): Planes {
  const luma = width * height;
  const bytes = new Uint8Array(luma * 1.5);
  const y = bytes.subarray(0, luma);
  return { width, height, bytes, y, u: bytes.subarray(luma, luma * 1.25), v: bytes.subarray(luma * 1.25) };
}

export function createGrid(columns: number, rows: number): Grid {
  const cells = (columns + 2) * (rows + 2);
  return { columns, rows, y: new Float32Array(cells), u: new Float32Array(cells), v: new Float32Array(cells) };
}

/** The BT.709 limited-range Y′CbCr of an sRGB colour, channels 0–255. */
export function toYuv(red: number, green: number, blue: number): [number, number, number] {
  return [
    16 + 0.1826 * red + 0.6142 * green + 0.062 * blue,
    128 - 0.1006 * red - 0.3386 * green + 0.4392 * blue,
    128 + 0.4392 * red - 0.3989 * green - 0.0403 * blue,
  ];
}
