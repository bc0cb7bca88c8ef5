/** Writes an MP4 whose index comes first, from one video track and, where there is sound, one audio track. */
import { writeFile } from 'node:fs/promises';
import {
  BufferTarget,
  EncodedAudioPacketSource,
  EncodedPacketSink,
  type InputAudioTrack,
  type InputVideoTrack,
  Mp4OutputFormat,
  Output,
  type VideoSource,
} from 'mediabunny';

/** Feeds a track that has been added to the output. */
export type Pump = () => Promise<void>;
/** Adds an audio track to the output. Null leaves the video without sound. */
export type AddAudio = (output: Output, track: InputAudioTrack) => Promise<Pump | null>;

type Mp4Tracks = {
  /** The track that the video is made from: its rotation is kept. */
  from: InputVideoTrack;
  video: VideoSource;
  pump: Pump;
  audio: InputAudioTrack | null;
  addAudio: AddAudio;
};

/** All or nothing is not promised: the caller deletes what a failure leaves at `path`. */
export async function writeMp4(path: string, { from, video, pump, audio, addAudio }: Mp4Tracks): Promise<void> {
  const target = new BufferTarget();
  const output = new Output({ format: new Mp4OutputFormat({ fastStart: 'in-memory' }), target });
  output.addVideoTrack(video, { rotation: await from.getRotation(), flip: await from.getFlip() });
  const pumpAudio = audio && (await addAudio(output, audio));
  await output.start();
  await Promise.all([pump(), pumpAudio?.()]);
  await output.finalize();
  if (!target.buffer) throw new Error('the muxer wrote no file');
  await writeFile(path, new Uint8Array(target.buffer));
}

/** Copies the sound as it is. */
export const copyAudio: AddAudio = async (output, track) => {
  const codec = await track.getCodec();
  const decoderConfig = await track.getDecoderConfig();
  if (!codec || !decoderConfig || !output.format.getSupportedAudioCodecs().includes(codec)) return null;
  const source = new EncodedAudioPacketSource(codec);
  output.addAudioTrack(source);
  return async () => {
    for await (const packet of new EncodedPacketSink(track).packets()) await source.add(packet, { decoderConfig });
    source.close();
  };
};
