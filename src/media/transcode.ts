/** Decodes a video that phones do not play and encodes it as 8-bit 4:2:0 H.264. Runs only in a child process. */
import { AudioSampleSource, QUALITY_HIGH, VideoSampleSource } from 'mediabunny';
import { decodeAudio, decodeVideo } from './decode-track.ts';
import type { OpenVideo } from './open-video.ts';
import { AUDIO_CODECS, codecConfigOf } from './playability.ts';
import { type AddAudio, copyAudio, writeMp4 } from './write-mp4.ts';

/** Often enough for quick seeking. */
const KEY_FRAME_SECONDS = 2;

/** Throws if the video does not decode, or if the encoder cannot convert its pixels. */
export async function transcode({ track, audio }: OpenVideo, path: string): Promise<void> {
  const source = new VideoSampleSource({
    codec: 'avc',
    quality: QUALITY_HIGH,
    keyFrameInterval: KEY_FRAME_SECONDS,
    hardwareAcceleration: 'prefer-software',
    // 4:2:0 has one colour for two by two pixels: of an odd side the encoder's scaler makes an even one.
    onEncoderConfig: (config) => {
      config.width = Math.max(2, config.width - (config.width % 2));
      config.height = Math.max(2, config.height - (config.height % 2));
    },
  });
  const config = await codecConfigOf(track);
  const pump = async (): Promise<void> => {
    await decodeVideo(track, async (sample) => {
      using frame = sample;
      // The decoder has no name for RGB, grey and full-range pixels, calls them 8-bit 4:2:0, and crashes when they are converted.
      if (config && frame.format === 'I420' && !(config.chroma === 1 && config.bits === 8))
        throw new Error('unnamed pixels');
      await source.add(frame);
    });
    source.close();
  };
  await writeMp4(path, { from: track, video: source, pump, audio, addAudio });
}

/** Copies AAC and MP3 and encodes everything else as AAC. Sound that cannot be decoded is left out: nothing would play it. */
export const addAudio: AddAudio = async (output, track) => {
  if (AUDIO_CODECS.includes((await track.getCodec()) ?? '')) return copyAudio(output, track);
  if (!(await track.canDecode())) return null;
  const source = new AudioSampleSource({ codec: 'aac', quality: QUALITY_HIGH });
  output.addAudioTrack(source);
  return async () => {
    await decodeAudio(track, (sample) => source.add(sample).finally(() => sample.close()));
    source.close();
  };
};
