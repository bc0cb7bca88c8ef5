/** Decodes the first frame, the last one and three in between: the first frame alone also decodes from half a file. */
import { type InputVideoTrack, VideoSampleSink } from 'mediabunny';
import { TaskRefusal } from '../platform/child-work.ts';
import { BRIGHTNESS_MIN, type DrawnFrame, drawFrame } from './thumbnail.ts';

/** Videos fade in from black: the frame after one second makes a better thumbnail than the first one. */
const THUMBNAIL_SECONDS = 1;

/**
 * `first` and `last` are the frames' times in seconds. Returns a frame for the thumbnail, `width` × `height` or smaller.
 * Throws if the video does not decode.
 */
export async function decodeFrames(
  track: InputVideoTrack,
  { first, last, width, height }: { first: number; last: number; width: number; height: number },
): Promise<DrawnFrame> {
  const middle = (first + last) / 2;
  const candidates = [Math.min(first + THUMBNAIL_SECONDS, middle), middle, first + (last - first) * 0.8];
  const times = [first, ...candidates, last];
  let thumbnail: DrawnFrame | null = null;
  let index = 0;
  for await (const sample of new VideoSampleSink(track).samplesAtTimestamps(times)) {
    if (!sample) throw new TaskRefusal('undecodable');
    const isCandidate = index > 0 && index <= candidates.length;
    if (isCandidate && (thumbnail?.brightness ?? 0) < BRIGHTNESS_MIN) {
      const frame = await drawFrame(sample, width, height);
      if (!thumbnail || frame.brightness > thumbnail.brightness) thumbnail = frame;
    }
    sample.close();
    index++;
  }
  if (!thumbnail || index < times.length) throw new TaskRefusal('undecodable');
  return thumbnail;
}
