/** Encodes frames into an H.264 MP4 whose index comes first, so that browsers play it while it loads. */

import { type EncodedVideoChunk, type EncodedVideoChunkMetadata, VideoEncoder, VideoFrame } from '@napi-rs/webcodecs';
import { BufferTarget, EncodedPacket, EncodedVideoPacketSource, Mp4OutputFormat, Output } from 'mediabunny';
import { sleep } from '../../../kernel/sleep.ts';
import { eraseTimes } from './erase-times.ts';
import type { Plan } from './plan.ts';
import type { VideoFrames } from './video.ts';

/** How many frames may wait in the encoder. Without a limit it would hold gigabytes of them. */
const FRAMES_AHEAD = 2;
/** Encoding a frame takes several times this long. */
const CHECK_EVERY_MS = 1;
/** Often enough for quick seeking. */
const KEY_FRAME_SECONDS = 2;
/** High profile, level 3.1 up to 720p and 4.0 above: every phone and browser decodes these. */
const codecOf = (plan: Plan): string => (plan.width * plan.height > 1280 * 720 ? 'avc1.640028' : 'avc1.64001f');

const COLOURS = { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', fullRange: false } as const;

/** Returns the bytes of the file. `report` gets the part of the frames that are done, 0–1. */
export async function encodeVideo(plan: Plan, video: VideoFrames, report: (part: number) => void): Promise<Uint8Array> {
  const target = new BufferTarget();
  const output = new Output({ format: new Mp4OutputFormat({ fastStart: 'in-memory' }), target });
  const track = new EncodedVideoPacketSource('avc');
  output.addVideoTrack(track, { frameRate: plan.fps });
  await output.start();
  await encodeFrames(plan, video, report, (packet, config) => track.add(packet, config && { decoderConfig: config }));
  await output.finalize();
  if (!target.buffer) throw new Error('the muxer wrote no file');
  const bytes = new Uint8Array(target.buffer);
  eraseTimes(bytes);
  return bytes;
}

type Sink = (packet: EncodedPacket, config: VideoDecoderConfig | undefined) => Promise<void>;

async function encodeFrames(plan: Plan, video: VideoFrames, report: (part: number) => void, sink: Sink): Promise<void> {
  let written: Promise<void> = Promise.resolve();
  let failure: unknown;
  let count = 0;
  const encoder = new VideoEncoder({
    output: (chunk, meta) => {
      const packet = toPacket(chunk, count++, plan.fps);
      written = written.then(() => sink(packet, toConfig(plan, meta)));
    },
    error: (error) => {
      failure = error;
    },
  });
  encoder.configure({
    codec: codecOf(plan),
    width: plan.width,
    height: plan.height,
    framerate: plan.fps,
    // Constant quality gives the same bytes for the same video; a bit rate does not.
    bitrateMode: 'quantizer',
    hardwareAcceleration: 'prefer-software',
    avc: { format: 'avc' },
  });
  for (let index = 0; index < plan.frames && !failure; index++) {
    video.draw(index);
    encodeOne(encoder, plan, video, index);
    // Lets the encoder's output and the parent's messages be handled at least once per frame.
    await new Promise((resolve) => setImmediate(resolve));
    while (encoder.encodeQueueSize > FRAMES_AHEAD && !failure) await sleep(CHECK_EVERY_MS);
    report((index + 1) / plan.frames);
  }
  await encoder.flush();
  await written;
  if (failure) throw failure;
  if (count !== plan.frames) throw new Error(`${count} of ${plan.frames} frames were encoded`);
  encoder.close();
}

function encodeOne(encoder: VideoEncoder, plan: Plan, video: VideoFrames, index: number): void {
  const frame = new VideoFrame(video.planes.bytes, {
    format: 'I420',
    codedWidth: plan.width,
    codedHeight: plan.height,
    timestamp: Math.round((index * 1_000_000) / plan.fps),
    duration: Math.round(1_000_000 / plan.fps),
    colorSpace: COLOURS,
  });
  encoder.encode(frame, { keyFrame: index % (plan.fps * KEY_FRAME_SECONDS) === 0 });
  frame.close();
}

/** The decoder's configuration, which comes with the first packet. */
function toConfig(plan: Plan, meta: EncodedVideoChunkMetadata | undefined): VideoDecoderConfig | undefined {
  const description = meta?.decoderConfig?.description;
  if (!description) return undefined;
  return {
    codec: codecOf(plan),
    codedWidth: plan.width,
    codedHeight: plan.height,
    description: new Uint8Array(description),
    colorSpace: COLOURS,
  };
}

/** Without B-frames the encoder returns packets in the order of display, so the index gives the time. */
function toPacket(chunk: EncodedVideoChunk, index: number, fps: number): EncodedPacket {
  const data = new Uint8Array(chunk.byteLength);
  chunk.copyTo(data);
  return new EncodedPacket(data, chunk.type, index / fps, 1 / fps);
}
