/** What every simulated vendor delivers: a stock film that says what it is, as long as what was paid for. */
import { readFile } from 'node:fs/promises';
import type { EncodedPacket } from 'mediabunny';
import { eraseTimes } from '../src/providers/sandbox/renderer/erase-times.ts';

/** `aspectRatio` as vendors write it, in any of their spellings: `16:9`, `1280:720`, `1280x720`. */
export type FilmWish = { durationSeconds: number; aspectRatio: string };

/** Films of two seconds that begin where they end, and with a key frame; without frames that look ahead. */
const SAMPLES = ['16x9', '9x16', '1x1', '4x5', '5x4', '3x2', '2x3'];
const USUAL_SHAPE = 16 / 9;
/** Longer than any model's, shorter than what would fill a disk. */
const SECONDS_MAX = 60;
/** Half a megabyte each. */
const FILMS_KEPT = 12;

const films = new Map<string, Promise<Uint8Array>>();

/** An MP4 of this length, in the shape that comes nearest; the same bytes each time. Do not write into them. */
export function filmFor({ durationSeconds, aspectRatio }: FilmWish): Promise<Uint8Array> {
  const seconds = Number.isFinite(durationSeconds) ? Math.min(SECONDS_MAX, Math.max(1, durationSeconds)) : 5;
  const sample = sampleFor(aspectRatio);
  const name = `${sample}/${seconds}`;
  const film = films.get(name) ?? makeFilm(sample, seconds);
  // The newest last: whoever was not asked for longest goes first.
  films.delete(name);
  films.set(name, film);
  film.catch(() => films.delete(name));
  for (const oldest of [...films.keys()].slice(0, -FILMS_KEPT)) films.delete(oldest);
  return film;
}

function sampleFor(aspectRatio: string): string {
  const wanted = Math.log(shapeOf(aspectRatio) ?? USUAL_SHAPE);
  const distance = (sample: string) => Math.abs(Math.log(shapeOf(sample) ?? USUAL_SHAPE) - wanted);
  return SAMPLES.reduce((nearest, sample) => (distance(sample) < distance(nearest) ? sample : nearest));
}

function shapeOf(ratio: string): number | undefined {
  const [, across, down] = /^(\d{1,5})[:x](\d{1,5})$/.exec(ratio) ?? [];
  return Number(across) > 0 && Number(down) > 0 ? Number(across) / Number(down) : undefined;
}

async function makeFilm(sample: string, seconds: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(await readFile(new URL(`./assets/${sample}.mp4`, import.meta.url)));
  const library = await import('mediabunny').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ERR_MODULE_NOT_FOUND') return null;
    throw error;
  });
  return library ? repeat(library, bytes, seconds) : bytes;
}

type Library = typeof import('mediabunny');

/** Puts the sample's frames one after another, again and again, until the time is full; nothing is encoded anew. */
async function repeat(library: Library, sample: Uint8Array, seconds: number): Promise<Uint8Array> {
  const { BufferSource, BufferTarget, EncodedPacketSink, EncodedVideoPacketSource, Input, MP4, Mp4OutputFormat } =
    library;
  using input = new Input({ source: new BufferSource(sample), formats: [MP4] });
  const track = await input.getPrimaryVideoTrack();
  const decoderConfig = await track?.getDecoderConfig();
  if (!track || !decoderConfig) throw new Error('a sample without a film in it');
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
  if (!target.buffer) throw new Error('the muxer made no film');
  const film = new Uint8Array(target.buffer);
  eraseTimes(film);
  return film;
}
