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
const thumbnailPath = inFolder('thumbnail.jpg');
const inspect = (path: string) => probe.probe(path, { thumbnailPath });

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

test('a whole MP4 is described, and its thumbnail is a JPEG', async () => {
  assert.deepEqual(await inspect(inFolder('whole.mp4')), {
    container: 'mp4',
    codec: 'avc',
    width: 320,
    height: 180,
    durationSeconds: 3,
    fps: 10,
  });
  const thumbnail = await loadImage(await readFile(thumbnailPath));
  assert.deepEqual([thumbnail.width, thumbnail.height], [320, 180]);
  assert.deepEqual([...(await readFile(thumbnailPath)).subarray(0, 3)], [0xff, 0xd8, 0xff]);
});

test('a video may have a single frame', async () => {
  assert.equal((await inspect(await clipAt('one.mp4', { frames: 1 }))).durationSeconds, 0.1);
});

test('a rotated video has its displayed size, and so has its thumbnail', async () => {
  const clip = await clipAt('rotated.mp4', { width: 64, height: 36, rotation: 90, halved: true });
  const { width, height } = await inspect(clip);
  assert.deepEqual([width, height], [36, 64]);
  const thumbnail = await loadImage(await readFile(thumbnailPath));
  assert.deepEqual([thumbnail.width, thumbnail.height], [36, 64]);
  // The left half of the recorded frame is the upper half of the displayed one.
  const [above, below] = [await colourOfThumbnail(0.5, 0.25), await colourOfThumbnail(0.5, 0.75)];
  assert.ok(above.every((channel) => channel > 130) && below.every((channel) => channel < 20), `${above} ${below}`);
});

test('the thumbnail has the colours of the video, with either colour matrix', async () => {
  const yuv: [number, number, number] = [100, 90, 190];
  for (const [matrix, expected] of [
    ['bt709', [209, 73, 17]],
    ['smpte170m', [197, 62, 21]],
  ] as const) {
    await inspect(await clipAt('colour.mp4', { matrix, frames: 3, yuv }));
    const colour = await colourOfThumbnail(0.5, 0.5);
    for (const [channel, value] of expected.entries()) {
      assert.ok(Math.abs((colour[channel] ?? 0) - value) <= 5, `${matrix}: ${colour}, not ${expected}`);
    }
  }
});

test('the thumbnail has at most 1280 pixels a side', async () => {
  await inspect(await clipAt('large.mp4', { width: 1920, height: 1080, frames: 2 }));
  const thumbnail = await loadImage(await readFile(thumbnailPath));
  assert.deepEqual([thumbnail.width, thumbnail.height], [1280, 720]);
});

test('the thumbnail is not a frame of a black beginning', async () => {
  for (const blackUntil of [0, 8, 12]) {
    await inspect(await clipAt('fade.mp4', { frames: 20, blackUntil }));
    assert.ok(((await colourOfThumbnail(0.5, 0.5))[0] ?? 0) > 130, `black until frame ${blackUntil}`);
  }
});

/** Red, green and blue of the thumbnail at a point, given as fractions of its width and height. */
async function colourOfThumbnail(x: number, y: number): Promise<number[]> {
  const context = createCanvas(1, 1).getContext('2d');
  const thumbnail = await loadImage(await readFile(thumbnailPath));
  context.drawImage(thumbnail, -Math.floor(thumbnail.width * x), -Math.floor(thumbnail.height * y));
  return [...context.getImageData(0, 0, 1, 1).data.subarray(0, 3)];
}

test('a file that lacks its second half or only its last byte is rejected', async () => {
  for (const keep of [whole.length / 2, whole.length - 1000, whole.length - 1]) {
    await assert.rejects(inspect(await fileAt('cut.mp4', whole.subarray(0, keep))), unusable('truncated'));
  }
  await assert.rejects(
    inspect(await fileAt('head.mp4', whole.subarray(0, 600))),
    unusable('truncated', 'no_video_track'),
  );
});

test('a file with a damaged last frame is rejected although all others decode', async () => {
  const damaged = Buffer.from(whole);
  const sizes = damaged.indexOf('stsz');
  const count = damaged.readUInt32BE(sizes + 12);
  const lastBytes = damaged.readUInt32BE(sizes + 16 + 4 * (count - 1));
  assert.equal(count, 30);
  damaged.fill(0xff, damaged.length - lastBytes);
  await assert.rejects(inspect(await fileAt('damaged.mp4', damaged)), unusable('undecodable'));
});

test('a file that is not a video is rejected, whatever its name', async () => {
  await assert.rejects(
    inspect(await fileAt('page.mp4', '<!doctype html><title>Not found</title>')),
    unusable('not_a_video'),
  );
  await assert.rejects(inspect(await fileAt('empty.mp4', '')), unusable('empty'));
  await assert.rejects(inspect(await fileAt('noise.mp4', randomBytes(100_000))), unusable('not_a_video'));
  await assert.rejects(inspect(await clipAt('audio.mp4', { kind: 'audio' })), unusable('no_video_track'));
});

test('frames larger than any screen are rejected before they are decoded', async () => {
  const bomb = Buffer.from(whole);
  // Width and height in the track header (16.16) and in the sample description (16 bit).
  const header = bomb.indexOf('tkhd');
  bomb.writeUInt32BE(60_000 * 65_536, header + 80);
  const entry = bomb.indexOf('avc1', bomb.indexOf('stsd'));
  bomb.writeUInt16BE(60_000, entry + 28);
  await assert.rejects(inspect(await fileAt('bomb.mp4', bomb)), unusable('too_large'));
});

test('a disk that cannot store the thumbnail, or lacks the file, is a storage problem and not the video’s fault', async () => {
  const isStorageProblem = (error: unknown): boolean => error instanceof Problem && error.code === 'ERR_6002';
  await assert.rejects(
    probe.probe(inFolder('whole.mp4'), { thumbnailPath: inFolder('no/such/p.jpg') }),
    isStorageProblem,
  );
  await assert.rejects(inspect(inFolder('gone.mp4')), isStorageProblem);
});

test('a probe process that cannot start is ProbeUnavailable, not an unusable video', async () => {
  // With this option no Node process starts; the video is fine.
  const broken = createProbe({ maxParallel: 1, log: silentLog, env: { NODE_OPTIONS: '--no-such-option' } });
  await assert.rejects(broken.probe(inFolder('whole.mp4'), { thumbnailPath }), ProbeUnavailable);
  await broken.close();
});

test('an aborted probe throws its reason, and a closed one ProbeUnavailable', async () => {
  const reason = new Error('enough');
  await assert.rejects(probe.probe(inFolder('whole.mp4'), { thumbnailPath }, AbortSignal.abort(reason)), reason);
  const closed = createProbe({ maxParallel: 1, log: silentLog, env: compileCache() });
  const probing = closed.probe(inFolder('whole.mp4'), { thumbnailPath });
  await Promise.all([assert.rejects(probing, ProbeUnavailable), closed.close()]);
});

test('no temporary file is left beside the thumbnail', async () => {
  await rm(thumbnailPath, { force: true });
  await inspect(inFolder('whole.mp4'));
  assert.ok((await stat(thumbnailPath)).size > 200);
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.endsWith('.part')),
    [],
  );
});
