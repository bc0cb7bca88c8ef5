/** Decodes every frame and every bit of sound of a video: what is missing or written over in the middle shows nowhere else. */
import type { InputAudioTrack, InputVideoTrack } from 'mediabunny';
import { TaskRefusal } from '../platform/child-work.ts';
import type { PacketFacts } from './check-packets.ts';
import { decodeAudio, decodeVideo } from './decode-track.ts';
import { BRIGHTNESS_MIN, type DrawnFrame, drawFrame } from './thumbnail.ts';

/** Videos fade in from black: the frame after one second makes a better thumbnail than the first one. */
const THUMBNAIL_SECONDS = 1;

/**
 * Returns a frame for the thumbnail, `width` × `height` or smaller; null if the pixels of none can be drawn. Throws if the video
 * does not decode, frame for frame.
 */
export async function decodeFrames(
  track: InputVideoTrack,
  { packets, leading, start, last }: PacketFacts,
  { width, height }: { width: number; height: number },
): Promise<DrawnFrame | null> {
  const middle = (start + last) / 2;
  const wanted = [Math.min(start + THUMBNAIL_SECONDS, middle), middle, start + (last - start) * 0.8];
  let thumbnail = null as DrawnFrame | null;
  const frames = await decodeVideo(track, async (sample) => {
    // The frame that is shown at the wanted time is the first one that ends behind it.
    const isWanted = wanted.length > 0 && sample.timestamp + sample.duration > (wanted[0] ?? 0);
    if (isWanted) wanted.shift();
    if (isWanted && (thumbnail?.brightness ?? 0) < BRIGHTNESS_MIN) {
      const frame = await drawFrame(sample, width, height);
      if (frame && (!thumbnail || frame.brightness > thumbnail.brightness)) thumbnail = frame;
    }
    sample.close();
  });
  if (frames < packets - leading) throw new TaskRefusal('undecodable');
  return thumbnail;
}

/** Sound of a kind that this machine does not decode is not checked. */
export async function checkAudio(track: InputAudioTrack): Promise<void> {
  if (await track.canDecode()) await decodeAudio(track, async (sample) => sample.close());
}
