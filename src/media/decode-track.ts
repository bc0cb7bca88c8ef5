/**
 * Decodes all of a track, in the order in which it is shown. Runs only in a child process. The library's own loop waits for
 * frames that this decoder gives only once it has more packets.
 */
import '@napi-rs/webcodecs/polyfill';
import {
  AudioSample,
  type EncodedPacket,
  EncodedPacketSink,
  type InputAudioTrack,
  type InputVideoTrack,
  VideoSample,
} from 'mediabunny';
import { sleep } from '../kernel/sleep.ts';

/** How many packets may wait in the decoder: enough for its threads, and few enough for the memory. */
const PACKETS_AHEAD = 8;
const CHECK_EVERY_MS = 1;

type Times = { timestamp: number; duration: number };
/** The part of the two decoders that both have. */
type Decoder = { readonly decodeQueueSize: number; flush(): Promise<void>; close(): void };
type Outputs<Output> = { push(output: Output): void; fail(error: unknown): void };

/** `onSample` must close what it is given. Resolves with the number of frames; throws if the decoder rejects a packet. */
export async function decodeVideo(
  track: InputVideoTrack,
  onSample: (sample: VideoSample) => Promise<void>,
): Promise<number> {
  const config = await track.getDecoderConfig();
  if (!config) throw new Error('a track without a configuration');
  const rotation = await track.getRotation();
  const times: Times[] = [];
  let decoder: VideoDecoder | undefined;
  const create = ({ push, fail }: Outputs<VideoFrame>): Decoder => {
    decoder = new VideoDecoder({ output: push, error: fail });
    decoder.configure({ ...config, hardwareAcceleration: 'prefer-software' });
    return decoder;
  };
  const isVp8 = (await track.getCodec()) === 'vp8';
  const decode = (packet: EncodedPacket): void => {
    // A bit in the header of VP8 says that the frame is never shown, only predicted from: the decoder gives none for it.
    if (!isVp8 || (packet.data[0] ?? 0) & 0x10) insert(times, packet);
    decoder?.decode(packet.toEncodedVideoChunk());
  };
  return decodeAll(track, create, decode, (frame) => {
    // The decoder labels frames in the order of its packets, which is not the order of display.
    const { timestamp, duration } = times.shift() ?? { timestamp: frame.timestamp / 1e6, duration: 0 };
    return onSample(new VideoSample(frame, { timestamp, duration, rotation }));
  });
}

/** `onSample` must close what it is given. Throws if the decoder rejects a packet. */
export async function decodeAudio(
  track: InputAudioTrack,
  onSample: (sample: AudioSample) => Promise<void>,
): Promise<void> {
  const config = await track.getDecoderConfig();
  if (!config) throw new Error('a track without a configuration');
  let decoder: AudioDecoder | undefined;
  const create = ({ push, fail }: Outputs<AudioData>): Decoder => {
    decoder = new AudioDecoder({ output: push, error: fail });
    decoder.configure(config);
    return decoder;
  };
  const decode = (packet: EncodedPacket): void => decoder?.decode(packet.toEncodedAudioChunk());
  await decodeAll(track, create, decode, (data) => onSample(new AudioSample(data)));
}

async function decodeAll<Output>(
  track: InputVideoTrack | InputAudioTrack,
  create: (outputs: Outputs<Output>) => Decoder,
  decode: (packet: EncodedPacket) => void,
  use: (output: Output) => Promise<void>,
): Promise<number> {
  const waiting: Output[] = [];
  let failure: unknown;
  let count = 0;
  const fail = (error: unknown): void => {
    failure ??= error;
  };
  const decoder = create({ push: (output) => waiting.push(output), fail });
  const useWaiting = async (): Promise<void> => {
    if (failure) throw failure;
    for (let output = waiting.shift(); output; output = waiting.shift()) {
      await use(output);
      count += 1;
    }
  };
  const sink = new EncodedPacketSink(track);
  const first = await sink.getFirstKeyPacket({ verifyKeyPackets: true });
  if (!first) throw new Error('a track without a key frame');
  for await (const packet of sink.packets(first, undefined, { verifyKeyPackets: true })) {
    // Shown before the first frame, and predicted from one that is not there.
    if (packet.timestamp < first.timestamp) continue;
    decode(packet);
    await useWaiting();
    for (; decoder.decodeQueueSize >= PACKETS_AHEAD; await sleep(CHECK_EVERY_MS)) await useWaiting();
  }
  await decoder.flush();
  await useWaiting();
  decoder.close();
  return count;
}

/** Keeps the times in the order of display: packets are out of it by a few places only. */
function insert(times: Times[], { timestamp, duration }: Times): void {
  let at = times.length;
  while (at > 0 && (times[at - 1]?.timestamp ?? 0) > timestamp) at--;
  times.splice(at, 0, { timestamp, duration });
}
