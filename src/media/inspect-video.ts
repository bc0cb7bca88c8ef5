/** Inspects one video file. Runs only in a child process, because decoders crash, leak and hang on hostile files. */
import '@napi-rs/webcodecs/polyfill';
import { EncodedPacketSink, type InputVideoTrack } from 'mediabunny';
import { TaskRefusal } from '../platform/child-work.ts';
import { decodeFrames } from './decode-frames.ts';
import { openVideo, orRefuse, readSize, roundedFps } from './open-video.ts';
import type { ProbedVideo } from './probed-video.ts';
import { writeThumbnail } from './thumbnail.ts';

export type InspectTask = { path: string; thumbnailPath: string };

/** `first` and `last` are the times of the first and the last frame, `end` is when the last one ends, in seconds. */
export type TrackFacts = { codec: string; width: number; height: number; first: number; last: number; end: number };

/** Enough packets to compute the frame rate, without reading a long file to its end. */
const RATE_PACKETS = 120;

/** Throws a `TaskRefusal` with an `UnusableReason`, or with `storage` when the thumbnail cannot be written. */
export async function inspectVideo(task: InspectTask): Promise<ProbedVideo> {
  using video = await openVideo(task.path);
  const { container, track } = video;
  const facts = await orRefuse('undecodable', readFacts(track));
  const thumbnail = await orRefuse('undecodable', decodeFrames(track, facts));
  await orRefuse('storage', writeThumbnail(thumbnail, task.thumbnailPath));
  const { averagePacketRate } = await orRefuse('undecodable', track.computePacketStats(RATE_PACKETS));
  const { codec, width, height } = facts;
  return {
    container,
    codec,
    width,
    height,
    durationSeconds: facts.end - facts.first,
    fps: roundedFps(averagePacketRate),
  };
}

async function readFacts(track: InputVideoTrack): Promise<TrackFacts> {
  const { width, height } = await readSize(track);
  const codec = await track.getCodec();
  if (!codec || !(await track.canDecode())) throw new TaskRefusal('unknown_codec');
  const packets = new EncodedPacketSink(track);
  const first = await packets.getFirstPacket();
  const last = await packets.getPacket(Number.POSITIVE_INFINITY);
  const end = await track.computeDuration();
  if (!(end > 0)) throw new TaskRefusal('no_duration');
  // The index lists packets that are missing in the file.
  if (!first || !last) throw new TaskRefusal('truncated');
  const start = await track.getFirstTimestamp();
  if (!(end > start)) throw new TaskRefusal('no_duration');
  return { codec, width, height, first: start, last: last.timestamp, end };
}
