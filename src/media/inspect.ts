/** Looks into one video file; runs in a child process only, because decoders crash, leak and hang on hostile files. */
import '@napi-rs/webcodecs/polyfill';
import { stat } from 'node:fs/promises';
import { EncodedPacketSink, FilePathSource, Input, type InputVideoTrack, MP4, QTFF, WEBM } from 'mediabunny';
import { TaskRefusal } from '../kernel/child-work.ts';
import { decodeFrames } from './decode-frames.ts';
import { writePoster } from './poster.ts';
import type { UnusableReason } from './unusable-video.ts';

export type InspectTask = { path: string; posterPath: string };

/** `width` and `height` as displayed, in pixels. `fps` is the average. */
export type ProbedVideo = {
  container: 'mp4' | 'mov' | 'webm';
  codec: string;
  width: number;
  height: number;
  durationSeconds: number;
  fps: number | null;
};

/** `first` and `last` are the times of the first and the last frame, `end` that of the last one's end, in seconds. */
export type TrackFacts = { codec: string; width: number; height: number; first: number; last: number; end: number };

/** No screen is larger, and a few bytes can promise a picture that fills the memory. */
const SIDE_PIXELS_MAX = 8192;
/** Enough packets for a rate, without reading a long file to its end. */
const RATE_PACKETS = 120;

const FORMATS = [
  { format: MP4, container: 'mp4' },
  { format: QTFF, container: 'mov' },
  { format: WEBM, container: 'webm' },
] as const;

/** Throws a `TaskRefusal` with an `UnusableReason`, or with `storage` when the poster cannot be written. */
export async function inspectVideo(task: InspectTask): Promise<ProbedVideo> {
  if ((await stat(task.path)).size === 0) throw new TaskRefusal('empty');
  using input = new Input({ source: new FilePathSource(task.path), formats: FORMATS.map(({ format }) => format) });
  const format = await orRefuse('not_a_video', input.getFormat());
  const container = FORMATS.find((known) => known.format === format)?.container;
  if (!container) throw new TaskRefusal('not_a_video');
  const track = await orRefuse('no_video_track', input.getPrimaryVideoTrack());
  if (!track) throw new TaskRefusal('no_video_track');
  const facts = await orRefuse('undecodable', readFacts(track));
  const picture = await orRefuse('undecodable', decodeFrames(track, facts));
  await orRefuse('storage', writePoster(picture, task.posterPath));
  const { averagePacketRate } = await orRefuse('undecodable', track.computePacketStats(RATE_PACKETS));
  const { codec, width, height } = facts;
  const fps = averagePacketRate > 0 ? Math.round(averagePacketRate * 1000) / 1000 : null;
  return { container, codec, width, height, durationSeconds: facts.end - facts.first, fps };
}

async function readFacts(track: InputVideoTrack): Promise<TrackFacts> {
  const [width, height] = [await track.getDisplayWidth(), await track.getDisplayHeight()];
  const sides = [width, height, await track.getCodedWidth(), await track.getCodedHeight()];
  if (Math.min(...sides) < 1 || Math.max(...sides) > SIDE_PIXELS_MAX) throw new TaskRefusal('too_large');
  const codec = await track.getCodec();
  if (!codec || !(await track.canDecode())) throw new TaskRefusal('unknown_codec');
  const packets = new EncodedPacketSink(track);
  const first = await packets.getFirstPacket();
  const last = await packets.getPacket(Number.POSITIVE_INFINITY);
  const end = await track.computeDuration();
  if (!(end > 0)) throw new TaskRefusal('no_duration');
  // The index names packets that the file no longer holds.
  if (!first || !last) throw new TaskRefusal('truncated');
  const start = await track.getFirstTimestamp();
  if (!(end > start)) throw new TaskRefusal('no_duration');
  return { codec, width, height, first: start, last: last.timestamp, end };
}

/** Whatever the libraries throw at a strange file means the same to us; a refusal of our own stays what it is. */
async function orRefuse<T>(reason: UnusableReason | 'storage', work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof TaskRefusal ? error : new TaskRefusal(reason);
  }
}
