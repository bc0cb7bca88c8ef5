/** Every video that is delivered is whole, is what was ordered, and plays on phones: the probe that decodes. */
import assert from 'node:assert/strict';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { silentLog } from '../../src/kernel/log.ts';
import { createProbe, ProbeUnavailable, type UnusableReason, UnusableVideo } from '../../src/media/probe.ts';
import type { ExpectedVideo } from '../../src/media/probed-video.ts';
import { compileCache } from '../../src/platform/compile-cache.ts';
import { type Clip, makeClip } from './make-video.ts';
import { sampleRanges } from './mp4-samples.ts';

const folder = await mkdtemp(join(tmpdir(), 'rendio-playable-'));
const probe = createProbe({ maxParallel: 2, log: silentLog, env: compileCache() });
after(async () => {
  await probe.close();
  await rm(folder, { recursive: true, force: true });
});

const inFolder = (name: string): string => join(folder, name);
const fixture = (name: string): Promise<Buffer> => readFile(new URL(`./fixtures/${name}`, import.meta.url));
const thumbnailPath = inFolder('thumbnail.jpg');
const playablePath = inFolder('playable.mp4');

async function inspect(bytes: Uint8Array, expected: ExpectedVideo = {}) {
  await rm(playablePath, { force: true });
  await rm(thumbnailPath, { force: true });
  await writeFile(inFolder('given'), bytes);
  return probe.probe(inFolder('given'), { thumbnailPath, playablePath, expected });
}

async function clip(name: string, options: Clip): Promise<Buffer> {
  await makeClip(inFolder(name), options);
  return readFile(inFolder(name));
}

const unusable =
  (...reasons: UnusableReason[]) =>
  (error: unknown) => {
    assert.ok(error instanceof UnusableVideo, String(error));
    assert.ok(reasons.includes(error.reason), error.reason);
    return true;
  };

/** Average brightness of the thumbnail, 0 to 1. */
async function thumbnailMean(): Promise<number> {
  const image = await loadImage(await readFile(thumbnailPath));
  const context = createCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  let sum = 0;
  for (let at = 0; at < data.length; at += 4) sum += (data[at] ?? 0) + (data[at + 1] ?? 0) + (data[at + 2] ?? 0);
  return sum / (data.length / 4) / 3 / 255;
}

test('a good video is delivered as it is, with a thumbnail that shows it', async () => {
  const video = await inspect(await fixture('v00-good.mp4'), { seconds: 4, bytes: 78_184 });
  assert.deepEqual(
    [video.container, video.codec, video.durationSeconds, video.isConverted],
    ['mp4', 'avc', 4, undefined],
  );
  assert.ok(Math.abs((await thumbnailMean()) - 0.486) < 0.05, String(await thumbnailMean()));
  await assert.rejects(access(playablePath));
});

test('a video with one frame written over is rejected, whichever frame it is and whatever was written', async () => {
  const good = await fixture('v00-good.mp4');
  const frames = sampleRanges(good);
  assert.equal(frames.length, 96);
  const noise = (at: number): number => (at * 2_654_435_761) >>> 24;
  for (const [index, kept, fill] of [
    [7, 12, () => 0],
    [19, 12, () => 0xff],
    [33, 0, noise],
    [50, 12, noise],
    [94, 12, () => 0],
  ] as const) {
    const { start, end } = frames[index] ?? { start: 0, end: 0 };
    const damaged = Buffer.from(good);
    for (let at = start + kept; at < end; at++) damaged[at] = fill(at);
    await assert.rejects(inspect(damaged), unusable('undecodable'), `frame ${index}`);
  }
});

test('part of a video is not what was ordered, even if all of that part plays', async () => {
  const whole = await fixture('v14-whole-fragmented.mp4');
  assert.ok((await inspect(whole, { seconds: 4, bytes: whole.length })).durationSeconds >= 4);
  const part = whole.subarray(0, 14_651);
  await assert.rejects(inspect(part, { seconds: 4 }), unusable('too_short'));
  await assert.rejects(inspect(part, { seconds: 1, bytes: whole.length }), unusable('incomplete'));
  // A vendor may round: three quarters are enough.
  assert.ok((await inspect(whole, { seconds: 5 })).durationSeconds >= 4);
});

test('pixels and codecs that phones do not play become H.264 4:2:0 in an MP4, with a thumbnail that shows something', async () => {
  const given = {
    'H.264 4:4:4': [await fixture('v01-h264-444.mp4'), 4],
    'VP9 in WebM': [await fixture('v09-vp9.webm'), 4],
    'VP8 in WebM': [await clip('vp8.webm', { container: 'webm', codec: 'vp8' }), 2],
    'VP9 in MP4': [await clip('vp9.mp4', { codec: 'vp9' }), 2],
  } as const;
  for (const [name, [bytes, seconds]] of Object.entries(given)) {
    const video = await inspect(bytes, { seconds });
    assert.deepEqual([video.container, video.codec, video.isConverted], ['mp4', 'avc', true], name);
    assert.ok(Math.abs(video.durationSeconds - seconds) < 0.05, `${name}: ${video.durationSeconds} s`);
    const written = await readFile(playablePath);
    const record = written.indexOf('avcC') + 4;
    assert.ok(written.includes('avc1') && [66, 77, 100].includes(written[record + 1] ?? 0), name);
    assert.ok((await thumbnailMean()) > 0.2, `${name}: ${await thumbnailMean()}`);
  }
});

test('names and containers that phones do not know are written anew around the same frames', async () => {
  const renamed = async (name: string, from: string, to: string): Promise<Buffer> => {
    const bytes = await fixture(name);
    bytes.write(to, bytes.indexOf(from, bytes.indexOf('stsd')), 'latin1');
    return bytes;
  };
  const given = {
    hev1: [await renamed('v06-hevc-10bit.mp4', 'hvc1', 'hev1'), 'hvc1', 4],
    avc3: [await renamed('v00-good.mp4', 'avc1', 'avc3'), 'avc1', 4],
    QuickTime: [await clip('a.mov', { container: 'mov' }), 'avc1', 2],
    'an edit list of no length': [await withoutEdit(await fixture('v00-good.mp4')), 'avc1', 4],
  } as const;
  for (const [name, [bytes, tag, seconds]] of Object.entries(given)) {
    const video = await inspect(bytes, { seconds });
    assert.deepEqual([video.container, video.isConverted], ['mp4', true], name);
    assert.ok(Math.abs(video.durationSeconds - seconds) < 0.1, `${name}: ${video.durationSeconds} s`);
    const written = await readFile(playablePath);
    assert.ok(written.indexOf(tag, written.indexOf('stsd')) > 0, name);
    const frames = (file: Buffer) => sampleRanges(file).map(({ start, end }) => file.toString('base64', start, end));
    assert.deepEqual(frames(written), frames(bytes), name);
  }
});

function withoutEdit(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(0, bytes.indexOf('elst') + 12);
  return bytes;
}

test('10-bit H.265, which phones play, is delivered as it is, and its thumbnail shows it', async () => {
  const video = await inspect(await fixture('v06-hevc-10bit.mp4'), { seconds: 4 });
  assert.deepEqual([video.codec, video.isConverted], ['hevc', undefined]);
  assert.ok((await thumbnailMean()) > 0.2, String(await thumbnailMean()));
});

test('without a place for the converted video, one that would have to be converted is rejected', async () => {
  await writeFile(inFolder('given'), await fixture('v01-h264-444.mp4'));
  await assert.rejects(probe.probe(inFolder('given'), { thumbnailPath }), unusable('unplayable'));
});

test('a probe that does not end in time says nothing about the file', async () => {
  await writeFile(inFolder('given'), await fixture('v00-good.mp4'));
  const hurried = createProbe({ maxParallel: 1, log: silentLog, timeoutMs: 1 });
  await assert.rejects(hurried.probe(inFolder('given'), { thumbnailPath }), ProbeUnavailable);
  await hurried.close();
});
