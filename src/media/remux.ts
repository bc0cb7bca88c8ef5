/** Puts the frames of a video into an MP4 that phones play, without decoding one. */
import { Buffer } from 'node:buffer';
import { type EncodedPacket, EncodedPacketSink, EncodedVideoPacketSource } from 'mediabunny';
import { type CodecConfig, PARAMETER_SETS, writeCodecConfig } from './codec-config.ts';
import { splitSample } from './nal-units.ts';
import type { OpenVideo } from './open-video.ts';
import { codecConfigOf, recordOf } from './playability.ts';
import { type AddAudio, writeMp4 } from './write-mp4.ts';

/** The parameter sets change on the way, so that no single record describes the video: it has to be decoded and encoded again. */
export class CannotRemux extends Error {}

/** H.264 becomes `avc1` and H.265 `hvc1`: all parameter sets move from the samples to the record. */
export async function remux({ track, audio }: OpenVideo, path: string, addAudio: AddAudio): Promise<void> {
  const config = await codecConfigOf(track);
  const record = await recordOf(track);
  const found = await track.getDecoderConfig();
  if (!config || !record || !found) throw new CannotRemux('a video without a configuration');
  const decoderConfig = {
    ...found,
    codec: config.codec === 'avc' ? found.codec.replace('avc3', 'avc1') : found.codec,
    description: writeCodecConfig(config.codec, record, config.parameterSets),
  };
  const source = new EncodedVideoPacketSource(config.codec);
  const pump = async (): Promise<void> => {
    let latest = Number.NEGATIVE_INFINITY;
    for await (const packet of new EncodedPacketSink(track).packets()) {
      // The muxer rejects a key frame that is shown before a frame of the group before it.
      const type = packet.timestamp < latest ? 'delta' : packet.type;
      latest = Math.max(latest, packet.timestamp);
      await source.add(packet.clone({ type, data: withoutParameterSets(packet, config) }), { decoderConfig });
    }
    source.close();
  };
  await writeMp4(path, { from: track, video: source, pump, audio, addAudio });
}

function withoutParameterSets(packet: EncodedPacket, config: CodecConfig): Uint8Array {
  const { codec, lengthBytes } = config;
  const units = splitSample(packet.data, lengthBytes, codec) ?? [];
  const isSet = ({ type }: { type: number }) => PARAMETER_SETS[codec].includes(type);
  if (!units.some(isSet)) return packet.data;
  for (const { bytes } of units.filter(isSet)) {
    if (!config.parameterSets.some((known) => Buffer.compare(known, bytes) === 0)) {
      throw new CannotRemux('parameter sets change');
    }
  }
  return joinUnits(
    units.filter((unit) => !isSet(unit)).map(({ bytes }) => bytes),
    lengthBytes,
  );
}

function joinUnits(units: Uint8Array[], lengthBytes: number): Uint8Array {
  const parts = units.map((unit) => {
    const part = new Uint8Array(lengthBytes + unit.length);
    for (let index = 0; index < lengthBytes; index++)
      part[index] = (unit.length / 256 ** (lengthBytes - 1 - index)) & 0xff;
    part.set(unit, lengthBytes);
    return part;
  });
  return new Uint8Array(Buffer.concat(parts));
}
