/** Opens a video file and reads its format, without decoding a frame. Every probe begins with this. */
import { stat } from 'node:fs/promises';
import { FilePathSource, Input, type InputAudioTrack, type InputVideoTrack, MP4, QTFF, WEBM } from 'mediabunny';
import { TaskRefusal } from '../platform/task-refusal.ts';
import { type Mp4Header, readMp4Header } from './mp4-header.ts';
import type { ProbedVideo } from './probed-video.ts';
import type { UnusableReason } from './unusable-video.ts';

/** No screen is larger, and a few bytes can declare a frame that fills the memory. */
const SIDE_PIXELS_MAX = 8192;

const FORMATS = [
  { format: MP4, container: 'mp4' },
  { format: QTFF, container: 'mov' },
  { format: WEBM, container: 'webm' },
] as const;

/** Disposing closes the file. */
export type OpenVideo = Disposable & {
  container: ProbedVideo['container'];
  track: InputVideoTrack;
  audio: InputAudioTrack | null;
  header: Mp4Header;
};

/** Throws a `TaskRefusal` with an `UnusableReason`. */
export async function openVideo(path: string): Promise<OpenVideo> {
  if ((await stat(path)).size === 0) throw new TaskRefusal('empty');
  const header = await orRefuse('not_a_video', readMp4Header(path));
  if (!header.isSound) throw new TaskRefusal('undecodable');
  const input = new Input({ source: new FilePathSource(path), formats: FORMATS.map(({ format }) => format) });
  try {
    const format = await orRefuse('not_a_video', input.getFormat());
    const container = FORMATS.find((known) => known.format === format)?.container;
    if (!container) throw new TaskRefusal('not_a_video');
    const track = await orRefuse('no_video_track', input.getPrimaryVideoTrack());
    if (!track) throw new TaskRefusal('no_video_track');
    const audio = await orRefuse('undecodable', input.getPrimaryAudioTrack());
    return { container, track, audio, header, [Symbol.dispose]: () => input.dispose() };
  } catch (error) {
    input.dispose();
    throw error;
  }
}

/** As displayed, in pixels. Throws a `TaskRefusal` for a size below one pixel or above the limit. */
export async function readSize(track: InputVideoTrack): Promise<{ width: number; height: number }> {
  const [width, height] = [await track.getDisplayWidth(), await track.getDisplayHeight()];
  const sides = [width, height, await track.getCodedWidth(), await track.getCodedHeight()];
  if (Math.min(...sides) < 1 || Math.max(...sides) > SIDE_PIXELS_MAX) throw new TaskRefusal('too_large');
  return { width, height };
}

/** Frames per second, rounded to a thousandth; null if there is no rate. */
export function roundedFps(packetRate: number): number | null {
  return packetRate > 0 ? Math.round(packetRate * 1000) / 1000 : null;
}

/** Turns every error that the library throws for a strange file into the same refusal; a `TaskRefusal` is kept. */
export async function orRefuse<T>(reason: UnusableReason | 'storage', work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof TaskRefusal ? error : new TaskRefusal(reason);
  }
}
