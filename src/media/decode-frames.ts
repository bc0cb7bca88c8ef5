/** Decodes the first frame, the last one and three between: a first frame alone decodes from half a file. */
import { type InputVideoTrack, VideoSampleSink } from 'mediabunny';
import { TaskRefusal } from '../platform/child-work.ts';
import { BLACK_BELOW, type Drawing, drawFrame } from './thumbnail.ts';

/** Films fade in from black: a frame a second in is a better face than the first one. */
const FACE_SECONDS = 1;

/**
 * `first` and `last` are the frames' times in seconds. Answers a picture for the poster, `width` × `height` or smaller.
 * Throws when the video does not decode.
 */
export async function decodeFrames(
  track: InputVideoTrack,
  { first, last, width, height }: { first: number; last: number; width: number; height: number },
): Promise<Drawing> {
  const middle = (first + last) / 2;
  const faces = [Math.min(first + FACE_SECONDS, middle), middle, first + (last - first) * 0.8];
  const times = [first, ...faces, last];
  let poster: Drawing | null = null;
  let index = 0;
  for await (const sample of new VideoSampleSink(track).samplesAtTimestamps(times)) {
    if (!sample) throw new TaskRefusal('undecodable');
    const isFace = index > 0 && index <= faces.length;
    if (isFace && (poster?.brightness ?? 0) < BLACK_BELOW) {
      const picture = await drawFrame(sample, width, height);
      if (!poster || picture.brightness > poster.brightness) poster = picture;
    }
    sample.close();
    index++;
  }
  if (!poster || index < times.length) throw new TaskRefusal('undecodable');
  return poster;
}
