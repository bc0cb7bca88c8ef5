/** Stock videos: real MP4s of the requested duration, in the nearest aspect ratio. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { stockVideoFor } from '../../sim/stock-video.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { createContainerProbe } from '../../src/media/container-probe.ts';
import { createProbe, type MediaProbe } from '../../src/media/probe.ts';
import { compileCache } from '../../src/platform/compile-cache.ts';

let folder: string;
let probe: MediaProbe;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rendio-stock-'));
  probe = createProbe({ maxParallel: 2, log: silentLog, env: compileCache() });
});
after(async () => {
  await probe.close();
  await rm(folder, { recursive: true, force: true });
});

async function probeStockVideo(durationSeconds: number, aspectRatio: string, mediaProbe = probe) {
  const path = join(folder, `${crypto.randomUUID()}.mp4`);
  await writeFile(path, await stockVideoFor({ durationSeconds, aspectRatio }));
  return mediaProbe.probe(path, { thumbnailPath: `${path}.jpg` });
}

test('a video has the requested duration, and its first and last frames decode', { concurrency: true }, async (t) => {
  for (const seconds of [1, 2, 3, 4, 5, 7, 8, 10]) {
    await t.test(`${seconds} s`, async () => {
      for (const mediaProbe of [probe, createContainerProbe()]) {
        const video = await probeStockVideo(seconds, '16:9', mediaProbe);
        assert.ok(Math.abs(video.durationSeconds - seconds) < 0.001, `${video.durationSeconds} s`);
        assert.equal(video.fps, 24);
      }
    });
  }
});

test('a video has the requested aspect ratio in any notation, or the nearest one', async () => {
  const mediaProbe = createContainerProbe();
  for (const [ratio, across, down] of [
    ['16:9', 16, 9],
    ['9:16', 9, 16],
    ['1:1', 1, 1],
    ['4:5', 4, 5],
    ['5:4', 5, 4],
    ['3:2', 3, 2],
    ['2:3', 2, 3],
    ['1280:720', 16, 9],
    ['720x1280', 9, 16],
    ['1104:832', 5, 4],
    ['21:9', 16, 9],
    ['auto', 16, 9],
    ['0:0', 16, 9],
  ] as const) {
    const { width, height } = await probeStockVideo(2, ratio, mediaProbe);
    assert.ok(Math.abs(width / height - across / down) < 0.01, `${ratio}: ${width} × ${height}`);
  }
});

test('equal requests give equal bytes at any time', async (t) => {
  const options = { durationSeconds: 6, aspectRatio: '3:2' };
  const first = await stockVideoFor(options);
  assert.equal(await stockVideoFor(options), first, 'made once and cached');
  // Enough other videos to evict the first from the cache.
  for (let seconds = 1; seconds <= 12; seconds += 1)
    await stockVideoFor({ durationSeconds: seconds, aspectRatio: '2:3' });
  t.mock.timers.enable({ apis: ['Date'], now: Date.UTC(2001, 1, 1) });
  const again = await stockVideoFor(options);
  assert.notEqual(again, first, 'evicted from the cache');
  assert.deepEqual(again, first);
});

test('extreme durations are limited', async () => {
  for (const [requested, expected] of [
    [100_000, 60],
    [-1, 1],
    [Number.NaN, 5],
  ] as const) {
    assert.ok(
      Math.abs((await probeStockVideo(requested, '1:1', createContainerProbe())).durationSeconds - expected) < 0.001,
    );
  }
});
