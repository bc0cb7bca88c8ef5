import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { Problem } from '../../src/kernel/errors.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { createProbe, ProbeUnavailable, type UnusableReason, UnusableVideo } from '../../src/media/probe.ts';
import { compileCache } from '../../src/platform/compile-cache.ts';
import { type Clip, makeClip } from './make-video.ts';

const folder = await mkdtemp(join(tmpdir(), 'rendio-probe-'));
const probe = createProbe({ maxParallel: 2, log: silentLog, env: compileCache() });
after(async () => {
  await probe.close();
  await rm(folder, { recursive: true, force: true });
});

const inFolder = (name: string): string => join(folder, name);
const thumbnailPath = inFolder('poster.jpg');
const ask = (path: string) => probe.probe(path, { thumbnailPath });

async function clipAt(name: string, clip: Clip): Promise<string> {
  await makeClip(inFolder(name), clip);
  return inFolder(name);
}

async function fileAt(name: string, bytes: Uint8Array | string): Promise<string> {
  await writeFile(inFolder(name), bytes);
  return inFolder(name);
}

const unusable =
  (...reasons: UnusableReason[]) =>
  (error: unknown) => {
    assert.ok(error instanceof UnusableVideo, String(error));
    assert.ok(reasons.includes(error.reason), error.reason);
    return true;
  };

let whole: Buffer;
before(async () => {
  whole = await readFile(await clipAt('whole.mp4', { width: 320, height: 180, frames: 30 }));
});

test('a whole MP4 is described, and its poster is a JPEG of it', async () => {
  assert.deepEqual(await ask(inFolder('whole.mp4')), {
    container: 'mp4',
    codec: 'avc',
    width: 320,
    height: 180,
    durationSeconds: 3,
    fps: 10,
  });
  const poster = await loadImage(await readFile(thumbnailPath));
  assert.deepEqual([poster.width, poster.height], [320, 180]);
  assert.deepEqual([...(await readFile(thumbnailPath)).subarray(0, 3)], [0xff, 0xd8, 0xff]);
});

test('QuickTime and WebM are read as well', async () => {
  const mov = await ask(await clipAt('a.mov', { container: 'mov' }));
  assert.deepEqual([mov.container, mov.codec, mov.durationSeconds], ['mov', 'avc', 2]);
  const webm = await ask(await clipAt('a.webm', { container: 'webm', codec: 'vp9' }));
  assert.deepEqual([webm.container, webm.codec, webm.durationSeconds], ['webm', 'vp9', 2]);
});

test('a video of one single frame is a video', async () => {
  assert.equal((await ask(await clipAt('one.mp4', { frames: 1 }))).durationSeconds, 0.1);
});

test('a film that was shot upright is upright, and so is its poster', async () => {
  const clip = await clipAt('upright.mp4', { width: 64, height: 36, rotation: 90, halved: true });
  const { width, height } = await ask(clip);
  assert.deepEqual([width, height], [36, 64]);
  const poster = await loadImage(await readFile(thumbnailPath));
  assert.deepEqual([poster.width, poster.height], [36, 64]);
  // The left half of what was recorded is the upper one of what is seen.
  const [above, below] = [await colourOfPoster(0.5, 0.25), await colourOfPoster(0.5, 0.75)];
  assert.ok(above.every((channel) => channel > 130) && below.every((channel) => channel < 20), `${above} ${below}`);
});

test('the poster has the colours of the film, whichever of the two matrices it was coded with', async () => {
  const yuv: [number, number, number] = [100, 90, 190];
  for (const [matrix, expected] of [
    ['bt709', [209, 73, 17]],
    ['smpte170m', [197, 62, 21]],
  ] as const) {
    await ask(await clipAt('colour.mp4', { matrix, frames: 3, yuv }));
    const colour = await colourOfPoster(0.5, 0.5);
    for (const [channel, value] of expected.entries()) {
      assert.ok(Math.abs((colour[channel] ?? 0) - value) <= 5, `${matrix}: ${colour}, not ${expected}`);
    }
  }
});

test('the poster is no larger than 1280 pixels a side', async () => {
  await ask(await clipAt('large.mp4', { width: 1920, height: 1080, frames: 2 }));
  const poster = await loadImage(await readFile(thumbnailPath));
  assert.deepEqual([poster.width, poster.height], [1280, 720]);
});

test('the poster is not taken from a black beginning', async () => {
  for (const blackUntil of [0, 8, 12]) {
    await ask(await clipAt('fade.mp4', { frames: 20, blackUntil }));
    assert.ok(((await colourOfPoster(0.5, 0.5))[0] ?? 0) > 130, `black until frame ${blackUntil}`);
  }
});

/** Red, green and blue of the poster at a place given in parts of its sides. */
async function colourOfPoster(x: number, y: number): Promise<number[]> {
  const context = createCanvas(1, 1).getContext('2d');
  const poster = await loadImage(await readFile(thumbnailPath));
  context.drawImage(poster, -Math.floor(poster.width * x), -Math.floor(poster.height * y));
  return [...context.getImageData(0, 0, 1, 1).data.subarray(0, 3)];
}

test('a file that lacks its end is refused, be it half of it or one byte', async () => {
  for (const keep of [whole.length / 2, whole.length - 1000, whole.length - 1]) {
    await assert.rejects(ask(await fileAt('cut.mp4', whole.subarray(0, keep))), unusable('truncated'));
  }
  await assert.rejects(ask(await fileAt('head.mp4', whole.subarray(0, 600))), unusable('truncated', 'no_video_track'));
});

test('a file whose last frame is garbage is refused although all others decode', async () => {
  const spoilt = Buffer.from(whole);
  const sizes = spoilt.indexOf('stsz');
  const count = spoilt.readUInt32BE(sizes + 12);
  const lastBytes = spoilt.readUInt32BE(sizes + 16 + 4 * (count - 1));
  assert.equal(count, 30);
  spoilt.fill(0xff, spoilt.length - lastBytes);
  await assert.rejects(ask(await fileAt('spoilt.mp4', spoilt)), unusable('undecodable'));
});

test('what is no video is refused, whatever it calls itself', async () => {
  await assert.rejects(
    ask(await fileAt('page.mp4', '<!doctype html><title>Not found</title>')),
    unusable('not_a_video'),
  );
  await assert.rejects(ask(await fileAt('empty.mp4', '')), unusable('empty'));
  await assert.rejects(ask(await fileAt('noise.mp4', randomBytes(100_000))), unusable('not_a_video'));
  await assert.rejects(ask(await clipAt('audio.mp4', { kind: 'audio' })), unusable('no_video_track'));
});

test('a picture larger than any screen is refused before it is decoded', async () => {
  const bomb = Buffer.from(whole);
  // Width and height in the track header (16.16) and in the sample description (16 bit).
  const header = bomb.indexOf('tkhd');
  bomb.writeUInt32BE(60_000 * 65_536, header + 80);
  const entry = bomb.indexOf('avc1', bomb.indexOf('stsd'));
  bomb.writeUInt16BE(60_000, entry + 28);
  await assert.rejects(ask(await fileAt('bomb.mp4', bomb)), unusable('too_large'));
});

test('a probe that takes too long gives up on the file', async () => {
  const hasty = createProbe({ maxParallel: 1, log: silentLog, timeoutMs: 1 });
  await assert.rejects(hasty.probe(inFolder('whole.mp4'), { thumbnailPath }), unusable('timeout'));
  await hasty.close();
});

test('a disk that cannot take the poster, or has lost the file, is no fault of the video', async () => {
  const isStorageProblem = (error: unknown): boolean => error instanceof Problem && error.code === 'ERR_6002';
  await assert.rejects(
    probe.probe(inFolder('whole.mp4'), { thumbnailPath: inFolder('no/such/p.jpg') }),
    isStorageProblem,
  );
  await assert.rejects(ask(inFolder('gone.mp4')), isStorageProblem);
});

test('a probe that cannot be started says nothing about the video', async () => {
  // No process starts with an environment that makes its loader fail; the video is fine.
  const broken = createProbe({ maxParallel: 1, log: silentLog, env: { NODE_OPTIONS: '--no-such-option' } });
  await assert.rejects(broken.probe(inFolder('whole.mp4'), { thumbnailPath }), ProbeUnavailable);
  await broken.close();
});

test('an aborted or closed probe throws that, and no verdict', async () => {
  const reason = new Error('enough');
  await assert.rejects(probe.probe(inFolder('whole.mp4'), { thumbnailPath }, AbortSignal.abort(reason)), reason);
  const closed = createProbe({ maxParallel: 1, log: silentLog, env: compileCache() });
  const asked = closed.probe(inFolder('whole.mp4'), { thumbnailPath });
  await Promise.all([assert.rejects(asked, ProbeUnavailable), closed.close()]);
});

test('no temporary file is left beside the poster', async () => {
  await rm(thumbnailPath, { force: true });
  await ask(inFolder('whole.mp4'));
  assert.ok((await stat(thumbnailPath)).size > 200);
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.endsWith('.part')),
    [],
  );
});
