/** Which way up a photo is, from the EXIF data in a JPEG. */

const SIGNATURE = [0x45, 0x78, 0x69, 0x66, 0, 0];
const [LITTLE_ENDIAN, BIG_ENDIAN] = [0x4949, 0x4d4d];
const ORIENTATION = 0x0112;
const SHORT = 3;
const ENTRY_BYTES = 12;

/** Returns 1 to 8; null if the segment is no EXIF data, or has no orientation that can be read. */
export function exifOrientation(content: Uint8Array): number | null {
  if (!SIGNATURE.every((byte, index) => content[index] === byte)) return null;
  const tiff = content.subarray(SIGNATURE.length);
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  if (tiff.length < 8) return null;
  const order = view.getUint16(0);
  if (order !== LITTLE_ENDIAN && order !== BIG_ENDIAN) return null;
  const isLittle = order === LITTLE_ENDIAN;
  const directory = view.getUint32(4, isLittle);
  if (directory + 2 > tiff.length) return null;
  const entries = view.getUint16(directory, isLittle);
  for (let index = 0; index < entries; index += 1) {
    const at = directory + 2 + index * ENTRY_BYTES;
    if (at + ENTRY_BYTES > tiff.length) return null;
    if (view.getUint16(at, isLittle) !== ORIENTATION) continue;
    const value = view.getUint16(at + 8, isLittle);
    return view.getUint16(at + 2, isLittle) === SHORT && value >= 1 && value <= 8 ? value : null;
  }
  return null;
}
