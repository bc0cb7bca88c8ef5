/** Removes the creation time from an MP4: the same video has the same bytes on every day. */

/** The boxes with a time. A video has one track, so each box is there once, before the tables, which hold arbitrary bytes. */
const BOXES = ['mvhd', 'tkhd', 'mdhd'];

/** Sets creation and modification time to "not known", in place. */
export function eraseTimes(mp4: Uint8Array): void {
  const bytes = Buffer.from(mp4.buffer, mp4.byteOffset, mp4.byteLength);
  for (const box of BOXES) {
    const at = bytes.indexOf(box);
    if (at < 0) throw new Error(`an MP4 without ${box}`);
    // After the name: version and flags, then two times of 4 bytes, or of 8 in version 1.
    const isWide = bytes[at + 4] === 1;
    bytes.fill(0, at + 8, at + 8 + (isWide ? 16 : 8));
  }
}
