/** Where the frames of an MP4's first track are. */

export type SampleRange = { start: number; end: number };

/** Reads the sample tables of a file that is not fragmented. */
export function sampleRanges(mp4: Buffer): SampleRange[] {
  const table = (name: string) => mp4.indexOf(name, mp4.indexOf('stbl')) + 8;
  const sizes = table('stsz');
  const fixed = mp4.readUInt32BE(sizes);
  const count = mp4.readUInt32BE(sizes + 4);
  const runs = table('stsc');
  const chunks = table('stco');
  const ranges: SampleRange[] = [];
  let run = 0;
  for (let chunk = 1; chunk <= mp4.readUInt32BE(chunks); chunk++) {
    const next =
      run + 1 < mp4.readUInt32BE(runs) ? mp4.readUInt32BE(runs + 4 + 12 * (run + 1)) : Number.POSITIVE_INFINITY;
    if (chunk >= next) run++;
    let start = mp4.readUInt32BE(chunks + 4 * chunk);
    for (let left = mp4.readUInt32BE(runs + 4 + 12 * run + 4); left > 0 && ranges.length < count; left--) {
      const end = start + (fixed || mp4.readUInt32BE(sizes + 8 + 4 * ranges.length));
      ranges.push({ start, end });
      start = end;
    }
  }
  return ranges;
}
