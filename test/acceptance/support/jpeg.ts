/** Width and height of a JPEG, from its frame header; throws if the file is no JPEG, or incomplete. */
export function readJpeg(file: Buffer): { width: number; height: number } {
  if (file.readUInt16BE(0) !== 0xffd8) throw new Error('does not begin like a JPEG');
  if (file.readUInt16BE(file.length - 2) !== 0xffd9) throw new Error('does not end like a JPEG');
  for (let at = 2; at < file.length; ) {
    const marker = file.readUInt16BE(at);
    const isFrameHeader = marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker);
    if (isFrameHeader) return { height: file.readUInt16BE(at + 5), width: file.readUInt16BE(at + 7) };
    at += 2 + file.readUInt16BE(at + 2);
  }
  throw new Error('a JPEG without a frame header');
}
