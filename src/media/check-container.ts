/** Checks a video file without decoding it: is all of it there, is it what was ordered, and do phones play it? */
import { stat } from 'node:fs/promises';
import { TaskRefusal } from '../platform/task-refusal.ts';
import { checkPackets, type PacketFacts } from './check-packets.ts';
import { type OpenVideo, orRefuse, readSize, roundedFps } from './open-video.ts';
import { type Delivery, deliveryOf } from './playability.ts';
import type { ExpectedVideo, ProbedVideo } from './probed-video.ts';

export type VideoFacts = { probed: ProbedVideo; packets: PacketFacts; delivery: Delivery };

/** A vendor's eight seconds may be a little less; part of a video is not what was ordered. */
const SECONDS_SHARE_MIN = 3 / 4;

/** Throws a `TaskRefusal` with an `UnusableReason`, or the signal's reason. */
export async function checkContainer(
  video: OpenVideo,
  path: string,
  expected: ExpectedVideo,
  signal?: AbortSignal,
): Promise<VideoFacts> {
  const { container, track, audio } = video;
  if (expected.bytes !== undefined && (await stat(path)).size !== expected.bytes) throw new TaskRefusal('incomplete');
  const size = await orRefuse('undecodable', readSize(track));
  const codec = await orRefuse('unknown_codec', track.getCodec());
  if (!codec || !(await orRefuse('unknown_codec', track.getDecoderConfig()))) throw new TaskRefusal('unknown_codec');
  if (container !== 'webm' && !video.header.isWhole) throw new TaskRefusal('truncated');
  const packets = await checkPackets(track, signal);
  if (audio) await checkPackets(audio, signal);
  const durationSeconds = packets.end - packets.start;
  if (durationSeconds < (expected.seconds ?? 0) * SECONDS_SHARE_MIN) throw new TaskRefusal('too_short');
  const fps = roundedFps(packets.packets / durationSeconds);
  const delivery = await orRefuse('unknown_codec', deliveryOf(video, packets.end));
  return { probed: { container, codec, ...size, durationSeconds, fps }, packets, delivery };
}
