/** Makes small real videos for tests. */
import '@napi-rs/webcodecs/polyfill';
import { writeFile } from 'node:fs/promises';
import {
  AudioSample,
  AudioSampleSource,
  BufferTarget,
  MovOutputFormat,
  Mp4OutputFormat,
  Output,
  VideoSample,
  VideoSampleSource,
  WebMOutputFormat,
} from 'mediabunny';

export type Clip = {
  container?: 'mp4' | 'mov' | 'webm';
  codec?: 'avc' | 'vp8' | 'vp9';
  width?: number;
  height?: number;
  frames?: number;
  /** Y, U and V of all frames from `blackUntil` on; earlier frames are black, and so is the right half when `halved`. */
  yuv?: [number, number, number];
  blackUntil?: number;
  halved?: boolean;
  matrix?: 'bt709' | 'smpte170m';
  rotation?: 0 | 90;
  kind?: 'video' | 'audio';
};

const FPS = 10;
const BLACK: [number, number, number] = [16, 128, 128];
const GREY: [number, number, number] = [150, 128, 128];

/** Ten frames a second; for audio, half a second of a sine wave. */
export async function makeClip(path: string, clip: Clip = {}): Promise<void> {
  const formats = { mp4: Mp4OutputFormat, mov: MovOutputFormat, webm: WebMOutputFormat };
  const format = new formats[clip.container ?? 'mp4']();
  const target = new BufferTarget();
  const output = new Output({ format, target });
  await (clip.kind === 'audio' ? addAudio(output) : addVideo(output, clip));
  await output.finalize();
  await writeFile(path, new Uint8Array(target.buffer ?? new ArrayBuffer(0)));
}

async function addVideo(output: Output, clip: Clip): Promise<void> {
  const { codec = 'avc', width = 64, height = 36, frames = 20, blackUntil = 0, rotation = 0 } = clip;
  const source = new VideoSampleSource({ codec, bitrate: 400_000, keyFrameInterval: 1 });
  output.addVideoTrack(source, { frameRate: FPS, rotation });
  await output.start();
  for (let index = 0; index < frames; index++) {
    const planes = drawPlanes(width, height, index < blackUntil ? BLACK : (clip.yuv ?? GREY), clip.halved ?? false);
    const matrix = clip.matrix ?? 'bt709';
    const colorSpace = { primaries: matrix, transfer: matrix, matrix, fullRange: false };
    const timing = { timestamp: index / FPS, duration: 1 / FPS };
    const sample = new VideoSample(planes, {
      format: 'I420',
      codedWidth: width,
      codedHeight: height,
      colorSpace,
      ...timing,
    });
    await source.add(sample);
    sample.close();
  }
}

function drawPlanes(width: number, height: number, [y, u, v]: [number, number, number], halved: boolean): Uint8Array {
  const luma = width * height;
  const planes = new Uint8Array(luma * 1.5);
  planes.fill(y, 0, luma);
  planes.fill(u, luma, luma * 1.25);
  planes.fill(v, luma * 1.25);
  if (halved) for (let row = 0; row < height; row++) planes.fill(16, row * width + width / 2, (row + 1) * width);
  return planes;
}

async function addAudio(output: Output): Promise<void> {
  const source = new AudioSampleSource({ codec: 'aac', bitrate: 64_000 });
  output.addAudioTrack(source);
  await output.start();
  const data = Float32Array.from({ length: 24_000 }, (_, index) => Math.sin(index / 20) / 2);
  await source.add(new AudioSample({ data, format: 'f32', numberOfChannels: 1, sampleRate: 48_000, timestamp: 0 }));
}
