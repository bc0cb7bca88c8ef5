/** Takes the time of its making out of an MP4: the same film is the same bytes on every day. */

/** The boxes that carry it; a film has one track, so each is there once, before the tables that could hold anything. */
const BOXES = ['mvhd', 'tkhd', 'mdhd'];

/** Sets creation and modification time to "not known", in place. */
export function eraseTimes(mp4: Uint8Array): void {
  const bytes = Buffer.from(mp4.buffer, mp4.byteOffset, mp4.byteLength);
  for (const box of BOXES) {
    const at = bytes.indexOf(box);
    if (at < 0) throw new Error(`an MP4 without ${box}`);
    // Behind the name: version and flags, then two times of 4 bytes, or of 8 in version 1.
    const isWide = bytes[at + 4] === 1;
    bytes.fill(0, at + 8, at + 8 + (isWide ? 16 : 8));
  }
}
