/** Reads every sample of a video file, without decoding: are the bytes of each there, in order, and not written over? */
import { EncodedPacketSink, type InputAudioTrack, type InputVideoTrack } from 'mediabunny';
import { TaskRefusal } from '../platform/task-refusal.ts';
import { splitSample } from './nal-units.ts';
import { orRefuse } from './open-video.ts';
import { codecConfigOf } from './playability.ts';

/** Times in seconds. `leading`: packets shown before the first one, which may lack what they are predicted from. */
export type PacketFacts = { packets: number; leading: number; start: number; last: number; end: number };

type Seen = PacketFacts & { bytes: number };
type Check = (data: Uint8Array) => boolean;

/** Throws a `TaskRefusal` with an `UnusableReason`, or the signal's reason. */
export async function checkPackets(
  track: InputVideoTrack | InputAudioTrack,
  signal?: AbortSignal,
): Promise<PacketFacts> {
  const indexed = await orRefuse('undecodable', walk(track, signal, null));
  if (indexed.packets === 0 || !(indexed.end > indexed.start)) throw new TaskRefusal('no_duration');
  const check = track.isVideoTrack() ? await sampleCheck(track) : () => true;
  const read = await orRefuse('truncated', walk(track, signal, check));
  signal?.throwIfAborted();
  // The index lists packets that are missing in the file.
  if (read.packets !== indexed.packets || read.bytes !== indexed.bytes) throw new TaskRefusal('truncated');
  return indexed;
}

/** H.264 and H.265 alone have a form that can be checked without decoding. */
async function sampleCheck(track: InputVideoTrack): Promise<Check> {
  const config = await orRefuse('unknown_codec', codecConfigOf(track));
  return config ? (data) => splitSample(data, config.lengthBytes, config.codec) !== null : () => true;
}

/** With `check`, the packets' bytes are read too. */
async function walk(
  track: InputVideoTrack | InputAudioTrack,
  signal: AbortSignal | undefined,
  check: Check | null,
): Promise<Seen> {
  const seen: Seen = { packets: 0, leading: 0, bytes: 0, start: Infinity, last: 0, end: 0 };
  let first: number | null = null;
  for await (const packet of new EncodedPacketSink(track).packets(undefined, undefined, { metadataOnly: !check })) {
    signal?.throwIfAborted();
    if (check && !check(packet.data)) throw new TaskRefusal('undecodable');
    first ??= packet.timestamp;
    seen.packets += 1;
    if (packet.timestamp < first) seen.leading += 1;
    seen.bytes += check ? packet.data.byteLength : packet.byteLength;
    seen.start = Math.min(seen.start, packet.timestamp);
    seen.last = Math.max(seen.last, packet.timestamp);
    seen.end = Math.max(seen.end, packet.timestamp + packet.duration);
  }
  return seen;
}
