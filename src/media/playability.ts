/** Whether phones play a file, and what has to be done where they do not. */
import { EncodedPacketSink, type InputVideoTrack } from 'mediabunny';
import { type CodecConfig, completeFromSample, readCodecConfig } from './codec-config.ts';
import type { OpenVideo } from './open-video.ts';

/**
 * `as_is`: MP4 with 8-bit 4:2:0 H.264 (`avc1`) or 8- or 10-bit 4:2:0 H.265 (`hvc1`). `remux`: the same frames in another container
 * or under another name. `transcode`: pixels or a codec that not every phone decodes.
 */
export type Delivery = 'as_is' | 'remux' | 'transcode';

/** Baseline, Main, Extended, High. */
const AVC_PROFILES = [66, 77, 88, 100];
/** What MP4 players on phones have in common. */
export const AUDIO_CODECS: readonly string[] = ['aac', 'mp3'];
const TAGS: Record<string, string> = { avc: 'avc1', hevc: 'hvc1' };
/** A header that tells players of more or less than there is by this much is written anew. */
const HEADER_SECONDS_OFF = 0.25;

export async function deliveryOf({ container, track, audio, header }: OpenVideo, seconds: number): Promise<Delivery> {
  const config = await codecConfigOf(track);
  if (!config || !isDecodedByPhones(config)) return 'transcode';
  const isTagged = (await track.getInternalCodecId()) === TAGS[config.codec];
  const audioCodec = await audio?.getCodec();
  const isAudioPlayed = audio === null || AUDIO_CODECS.includes(audioCodec ?? '');
  const isTimed =
    header.seconds === null || Math.abs(header.seconds - seconds) <= Math.max(HEADER_SECONDS_OFF, seconds * 0.1);
  return container === 'mp4' && isTagged && config.isComplete && isAudioPlayed && isTimed ? 'as_is' : 'remux';
}

/** Null for other codecs, and where the configuration cannot be read. */
export async function codecConfigOf(track: InputVideoTrack): Promise<CodecConfig | null> {
  const codec = await track.getCodec();
  if (codec !== 'avc' && codec !== 'hevc') return null;
  const record = await recordOf(track);
  const config = record && readCodecConfig(codec, record);
  if (!config || config.isComplete) return config;
  const first = await new EncodedPacketSink(track).getFirstPacket();
  return first && completeFromSample(config, first.data);
}

export async function recordOf(track: InputVideoTrack): Promise<Uint8Array | null> {
  const { description } = (await track.getDecoderConfig()) ?? {};
  if (!description) return null;
  return ArrayBuffer.isView(description)
    ? new Uint8Array(description.buffer, description.byteOffset, description.byteLength)
    : new Uint8Array(description);
}

function isDecodedByPhones({ codec, profile, chroma, bits }: CodecConfig): boolean {
  if (chroma !== 1) return false;
  return codec === 'avc' ? bits === 8 && AVC_PROFILES.includes(profile) : bits <= 10;
}
