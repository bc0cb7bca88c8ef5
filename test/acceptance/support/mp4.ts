/** The metadata of an MP4 file, read box by box (ISO/IEC 14496-12). */

type Box = { type: string; body: Buffer };

export type Mp4 = {
  /** The types of the top-level boxes, in order. */
  boxes: string[];
  seconds: number;
  /** The four letters of the video's sample entry, such as `avc1`. */
  codec: string;
  width: number;
  height: number;
  frames: number;
  /** The size of all frames, according to the sample table. */
  frameBytes: number;
};

/** Reads a file; throws if a box does not fit into the one around it. */
export function readMp4(file: Buffer): Mp4 {
  const top = boxesOf(file);
  const moov = only(top, 'moov');
  const traks = boxesOf(moov.body).filter(({ type }) => type === 'trak');
  const video = traks.find((trak) => descend(trak, 'mdia', 'hdlr').subarray(8, 12).toString('latin1') === 'vide');
  if (!video) throw new Error('no video track');
  const stsd = descend(video, 'mdia', 'minf', 'stbl', 'stsd');
  const [entry] = boxesOf(stsd.subarray(8));
  if (!entry) throw new Error('no sample entry');
  const mvhd = only(boxesOf(moov.body), 'mvhd').body;
  const isLong = mvhd[0] === 1;
  const timescale = mvhd.readUInt32BE(isLong ? 20 : 12);
  const duration = isLong ? Number(mvhd.readBigUInt64BE(24)) : mvhd.readUInt32BE(16);
  const stsz = descend(video, 'mdia', 'minf', 'stbl', 'stsz');
  const frames = stsz.readUInt32BE(8);
  const fixed = stsz.readUInt32BE(4);
  const sizes = Array.from({ length: frames }, (_, index) => fixed || stsz.readUInt32BE(12 + 4 * index));
  return {
    boxes: top.map(({ type }) => type),
    seconds: duration / timescale,
    codec: entry.type,
    // A visual sample entry: 8 bytes common to all, 16 reserved, then width and height.
    width: entry.body.readUInt16BE(24),
    height: entry.body.readUInt16BE(26),
    frames,
    frameBytes: sizes.reduce((sum, size) => sum + size, 0),
  };
}

function boxesOf(bytes: Buffer): Box[] {
  const boxes: Box[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const short = bytes.readUInt32BE(at);
    const head = short === 1 ? 16 : 8;
    const size = short === 1 ? Number(bytes.readBigUInt64BE(at + 8)) : short || bytes.length - at;
    if (size < head || at + size > bytes.length) throw new Error(`a box of ${size} bytes at ${at} of ${bytes.length}`);
    boxes.push({ type: bytes.toString('latin1', at + 4, at + 8), body: bytes.subarray(at + head, at + size) });
    at += size;
  }
  return boxes;
}

function only(boxes: Box[], type: string): Box {
  const box = boxes.find((candidate) => candidate.type === type);
  if (!box) throw new Error(`no ${type} box among ${boxes.map((candidate) => candidate.type)}`);
  return box;
}

function descend(box: Box, ...path: string[]): Buffer {
  return path.reduce((inner, type) => only(boxesOf(inner.body), type), box).body;
}
