/** The stock films: real MP4s, as long as was asked, in the shape that comes nearest. */
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
  folder = await mkdtemp(join(tmpdir(), 'rendio-films-'));
  probe = createProbe({ maxParallel: 2, log: silentLog, env: compileCache() });
});
after(async () => {
  await probe.close();
  await rm(folder, { recursive: true, force: true });
});

async function look(durationSeconds: number, aspectRatio: string, by = probe) {
  const path = join(folder, `${crypto.randomUUID()}.mp4`);
  await writeFile(path, await stockVideoFor({ durationSeconds, aspectRatio }));
  return by.probe(path, { thumbnailPath: `${path}.jpg` });
}

test('a film lasts as long as was asked, and its first and last frames decode', { concurrency: true }, async (t) => {
  for (const seconds of [1, 2, 3, 4, 5, 7, 8, 10]) {
    await t.test(`${seconds} s`, async () => {
      for (const by of [probe, createContainerProbe()]) {
        const film = await look(seconds, '16:9', by);
        assert.ok(Math.abs(film.durationSeconds - seconds) < 0.001, `${film.durationSeconds} s`);
        assert.equal(film.fps, 24);
      }
    });
  }
});

test('a film has the shape that was asked for, in any spelling, or the nearest', async () => {
  const by = createContainerProbe();
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
    const { width, height } = await look(2, ratio, by);
    assert.ok(Math.abs(width / height - across / down) < 0.01, `${ratio}: ${width} × ${height}`);
  }
});

test('the same film is the same bytes, whoever makes it and when', async (t) => {
  const wish = { durationSeconds: 6, aspectRatio: '3:2' };
  const first = await stockVideoFor(wish);
  assert.equal(await stockVideoFor(wish), first, 'made once');
  // Enough others to be forgotten for.
  for (let seconds = 1; seconds <= 12; seconds += 1)
    await stockVideoFor({ durationSeconds: seconds, aspectRatio: '2:3' });
  t.mock.timers.enable({ apis: ['Date'], now: Date.UTC(2001, 1, 1) });
  const again = await stockVideoFor(wish);
  assert.notEqual(again, first, 'not kept for ever');
  assert.deepEqual(again, first);
});

test('no wish makes a film that fills the memory', async () => {
  for (const [asked, given] of [
    [100_000, 60],
    [-1, 1],
    [Number.NaN, 5],
  ] as const) {
    assert.ok(Math.abs((await look(asked, '1:1', createContainerProbe())).durationSeconds - given) < 0.001);
  }
});
