/** The probe for runtimes without native code: it reads the container of a video to the last byte and decodes no frame. */
import { access } from 'node:fs/promises';
import { EncodedPacketSink, type InputVideoTrack } from 'mediabunny';
import { TaskRefusal } from '../platform/task-refusal.ts';
import { openVideo, orRefuse, readSize, roundedFps } from './open-video.ts';
import type { MediaProbe } from './probe.ts';
import type { ProbedVideo } from './probed-video.ts';
import { storageProblem } from './storage-problem.ts';
import { UNUSABLE_REASONS, UnusableVideo } from './unusable-video.ts';

/** The codecs that phones and browsers play. */
const CODECS = ['avc', 'hevc', 'av1', 'vp9', 'vp8'];
/** Reading even a long clip takes a second; a file that takes this long was made to block the probe. */
const TIMEOUT_MS = 20_000;

/**
 * Refuses a file that is no video, has no playable track, has no duration, or lacks bytes of a frame. It writes no thumbnail,
 * and accepts frames whose bytes are present but cannot be decoded.
 */
export function createContainerProbe({ timeoutMs = TIMEOUT_MS } = {}): MediaProbe {
  return {
    async probe(path, _options, signal) {
      await access(path).catch((error: unknown) => {
        throw storageProblem(error);
      });
      const limit = AbortSignal.timeout(timeoutMs);
      try {
        return await inspectContainer(path, signal ? AbortSignal.any([signal, limit]) : limit);
      } catch (error) {
        signal?.throwIfAborted();
        if (limit.aborted) throw new UnusableVideo('timeout');
        const reason = error instanceof TaskRefusal && UNUSABLE_REASONS.find((known) => known === error.reason);
        throw reason ? new UnusableVideo(reason) : error;
      }
    },
    async close() {},
  };
}

async function inspectContainer(path: string, signal: AbortSignal): Promise<ProbedVideo> {
  using video = await openVideo(path);
  const { container, track } = video;
  const size = await orRefuse('undecodable', readSize(track));
  const codec = await orRefuse('unknown_codec', track.getCodec());
  if (!codec || !CODECS.includes(codec) || !(await orRefuse('unknown_codec', track.getDecoderConfig()))) {
    throw new TaskRefusal('unknown_codec');
  }
  const indexed = await orRefuse('undecodable', countPackets(track, signal, { metadataOnly: true }));
  if (indexed.packets === 0 || !(indexed.end > indexed.start)) throw new TaskRefusal('no_duration');
  const read = await orRefuse('truncated', countPackets(track, signal, {}));
  signal.throwIfAborted();
  if (read.packets !== indexed.packets || read.bytes !== indexed.bytes) throw new TaskRefusal('truncated');
  const durationSeconds = indexed.end - indexed.start;
  return { container, codec, ...size, durationSeconds, fps: roundedFps(indexed.packets / durationSeconds) };
}

type Packets = { packets: number; bytes: number; start: number; end: number };

/** Reads all packets of a track; times in seconds. */
async function countPackets(
  track: InputVideoTrack,
  signal: AbortSignal,
  options: { metadataOnly?: boolean },
): Promise<Packets> {
  const seen: Packets = { packets: 0, bytes: 0, start: Number.POSITIVE_INFINITY, end: 0 };
  for await (const packet of new EncodedPacketSink(track).packets(undefined, undefined, options)) {
    signal.throwIfAborted();
    seen.packets += 1;
    seen.bytes += options.metadataOnly ? packet.byteLength : packet.data.byteLength;
    seen.start = Math.min(seen.start, packet.timestamp);
    seen.end = Math.max(seen.end, packet.timestamp + packet.duration);
  }
  return seen;
}
