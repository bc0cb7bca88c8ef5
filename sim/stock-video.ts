/** The file that every simulated vendor delivers: a stock video whose text says so, as long as the one that was paid for. */
import { readFile } from 'node:fs/promises';
import type { EncodedPacket } from 'mediabunny';
import { eraseTimes } from '../src/providers/sandbox/renderer/erase-times.ts';

/** `aspectRatio` as any of the vendors writes it: `16:9`, `1280:720`, `1280x720`. */
export type StockVideoSpec = { durationSeconds: number; aspectRatio: string };

/** Videos of two seconds that loop seamlessly. They begin with a key frame and have no B-frames. */
const SAMPLES = ['16x9', '9x16', '1x1', '4x5', '5x4', '3x2', '2x3'];
const DEFAULT_SHAPE = 16 / 9;
/** Longer than any model's videos, and short enough not to fill a disk. */
const SECONDS_MAX = 60;
/** Half a megabyte each. */
const VIDEOS_KEPT = 12;

const videos = new Map<string, Promise<Uint8Array>>();

/** An MP4 of this length, in the nearest shape; the same bytes each time. Do not write into them. */
export function stockVideoFor({ durationSeconds, aspectRatio }: StockVideoSpec): Promise<Uint8Array> {
  const seconds = Number.isFinite(durationSeconds) ? Math.min(SECONDS_MAX, Math.max(1, durationSeconds)) : 5;
  const sample = sampleFor(aspectRatio);
  const name = `${sample}/${seconds}`;
  const video = videos.get(name) ?? makeVideo(sample, seconds);
  // The most recently used is last; the first are dropped.
  videos.delete(name);
  videos.set(name, video);
  video.catch(() => videos.delete(name));
  for (const oldest of [...videos.keys()].slice(0, -VIDEOS_KEPT)) videos.delete(oldest);
  return video;
}

function sampleFor(aspectRatio: string): string {
  const wanted = Math.log(shapeOf(aspectRatio) ?? DEFAULT_SHAPE);
  const distance = (sample: string) => Math.abs(Math.log(shapeOf(sample) ?? DEFAULT_SHAPE) - wanted);
  return SAMPLES.reduce((nearest, sample) => (distance(sample) < distance(nearest) ? sample : nearest));
}

function shapeOf(ratio: string): number | undefined {
  const [, across, down] = /^(\d{1,5})[:x](\d{1,5})$/.exec(ratio) ?? [];
  return Number(across) > 0 && Number(down) > 0 ? Number(across) / Number(down) : undefined;
}

async function makeVideo(sample: string, seconds: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(await readFile(new URL(`./assets/${sample}.mp4`, import.meta.url)));
  const library = await import('mediabunny').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ERR_MODULE_NOT_FOUND') return null;
    throw error;
  });
  return library ? repeat(library, bytes, seconds) : bytes;
}

type Library = typeof import('mediabunny');

/** Repeats the sample's frames until the video is long enough, without encoding them again. */
async function repeat(library: Library, sample: Uint8Array, seconds: number): Promise<Uint8Array> {
  const { BufferSource, BufferTarget, EncodedPacketSink, EncodedVideoPacketSource, Input, MP4, Mp4OutputFormat } =
    library;
  using input = new Input({ source: new BufferSource(sample), formats: [MP4] });
  const track = await input.getPrimaryVideoTrack();
  const decoderConfig = await track?.getDecoderConfig();
  if (!track || !decoderConfig) throw new Error('a sample without a video track');
  const loopSeconds = await track.computeDuration();
  const packets: EncodedPacket[] = [];
  for await (const packet of new EncodedPacketSink(track).packets()) packets.push(packet);
  const target = new BufferTarget();
  const output = new library.Output({ format: new Mp4OutputFormat({ fastStart: 'in-memory' }), target });
  const source = new EncodedVideoPacketSource('avc');
  output.addVideoTrack(source);
  await output.start();
  for (let startSeconds = 0; startSeconds < seconds; startSeconds += loopSeconds) {
    for (const packet of packets) {
      const timestamp = startSeconds + packet.timestamp;
      if (timestamp >= seconds) break;
      await source.add(packet.clone({ timestamp }), { decoderConfig });
    }
  }
  await output.finalize();
  if (!target.buffer) throw new Error('the muxer wrote no file');
  const video = new Uint8Array(target.buffer);
  eraseTimes(video);
  return video;
}
