/** What every probe guarantees, tested with the one that decodes and with the one that reads the container alone. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Problem } from '../../src/kernel/errors.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { createContainerProbe } from '../../src/media/container-probe.ts';
import { createProbe, ProbeUnavailable, type UnusableReason, UnusableVideo } from '../../src/media/probe.ts';
import type { ExpectedVideo } from '../../src/media/probed-video.ts';
import { compileCache } from '../../src/platform/compile-cache.ts';
import { type Clip, makeClip } from '../media/make-video.ts';
import { sampleRanges } from '../media/mp4-samples.ts';

const folder = await mkdtemp(join(tmpdir(), 'rendio-probes-'));
after(() => rm(folder, { recursive: true, force: true }));
const inFolder = (name: string) => join(folder, name);
const thumbnailPath = inFolder('thumbnail.jpg');
const playablePath = inFolder('playable.mp4');

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
const PROBES = {
  decoding: () => createProbe({ maxParallel: 2, log: silentLog, env: compileCache() }),
  'container-level': () => createContainerProbe(),
};

for (const [name, create] of Object.entries(PROBES)) {
  describe(`the ${name} probe`, () => {
    const probe = create();
    after(() => probe.close());
    const inspect = (path: string, signal?: AbortSignal) => probe.probe(path, { thumbnailPath, playablePath }, signal);
    let whole: Buffer;
    before(async () => {
      whole = await readFile(await clipAt('whole.mp4', { width: 320, height: 180, frames: 30 }));
    });

    test('describes a whole MP4', async () => {
      const found = await inspect(inFolder('whole.mp4'));
      const size = { width: 320, height: 180 };
      assert.deepEqual(found, { container: 'mp4', codec: 'avc', ...size, durationSeconds: 3, fps: 10 });
    });

    test('makes an MP4 of QuickTime, and describes a single frame and a rotated video', async () => {
      const mov = await inspect(await clipAt('a.mov', { container: 'mov' }));
      assert.deepEqual([mov.container, mov.codec, mov.durationSeconds, mov.isConverted], ['mp4', 'avc', 2, true]);
      assert.equal((await readFile(playablePath)).toString('latin1', 4, 12), 'ftypisom');
      assert.equal((await inspect(await clipAt('one.mp4', { frames: 1 }))).durationSeconds, 0.1);
      const rotated = await inspect(await clipAt('rotated.mp4', { width: 64, height: 36, rotation: 90 }));
      assert.deepEqual([rotated.width, rotated.height], [36, 64]);
    });

    test('rejects part of what was ordered, and a file of another size than the vendor reports', async () => {
      const path = inFolder('whole.mp4');
      const request = (expected: ExpectedVideo) => probe.probe(path, { thumbnailPath, playablePath, expected });
      assert.equal((await request({ seconds: 4, bytes: whole.length })).durationSeconds, 3);
      await assert.rejects(request({ seconds: 5 }), unusable('too_short'));
      for (const bytes of [whole.length + 1, whole.length - 1]) {
        await assert.rejects(request({ seconds: 3, bytes }), unusable('incomplete'));
      }
    });

    test('rejects a frame that is written over with what no encoder writes', async () => {
      const { start, end } = sampleRanges(whole)[17] ?? { start: 0, end: 0 };
      for (const fill of [0, 0xff]) {
        const damaged = Buffer.from(whole).fill(fill, start, end);
        await assert.rejects(inspect(await fileAt('damaged.mp4', damaged)), unusable('undecodable'));
      }
    });

    test('rejects a fragmented file that ends before its index says', async () => {
      const name = new URL('../media/fixtures/v14-whole-fragmented.mp4', import.meta.url);
      const fragmented = await readFile(name);
      assert.ok((await inspect(await fileAt('fragmented.mp4', fragmented))).durationSeconds >= 4);
      const cut = fragmented.subarray(0, 40_000);
      await assert.rejects(inspect(await fileAt('cut.mp4', cut)), unusable('truncated'));
      const indexed = withSegmentIndex(fragmented.subarray(0, 14_651), fragmented.length - 779);
      await assert.rejects(inspect(await fileAt('indexed.mp4', indexed)), unusable('truncated'));
    });

    test('rejects a file that lacks its second half or only its last byte', async () => {
      for (const keep of [whole.length / 2, whole.length - 1000, whole.length - 1]) {
        const cut = await fileAt('cut.mp4', whole.subarray(0, keep));
        await assert.rejects(inspect(cut), unusable('truncated'), `${keep} of ${whole.length}`);
      }
      const head = await fileAt('head.mp4', whole.subarray(0, 600));
      await assert.rejects(inspect(head), unusable('truncated', 'no_video_track', 'not_a_video'));
    });

    test('rejects a file that is not a video, whatever its name', async () => {
      await assert.rejects(
        inspect(await fileAt('page.mp4', '<!doctype html><title>Gone</title>')),
        unusable('not_a_video'),
      );
      await assert.rejects(inspect(await fileAt('empty.mp4', '')), unusable('empty'));
      await assert.rejects(inspect(await fileAt('noise.mp4', randomBytes(100_000))), unusable('not_a_video'));
      await assert.rejects(inspect(await clipAt('audio.mp4', { kind: 'audio' })), unusable('no_video_track'));
    });

    test('rejects frames larger than any screen', async () => {
      const bomb = Buffer.from(whole);
      bomb.writeUInt32BE(60_000 * 65_536, bomb.indexOf('tkhd') + 80);
      bomb.writeUInt16BE(60_000, bomb.indexOf('avc1', bomb.indexOf('stsd')) + 28);
      await assert.rejects(inspect(await fileAt('bomb.mp4', bomb)), unusable('too_large'));
    });

    test('rejects a table that claims more samples than it holds, at once', async () => {
      for (const [table, offset] of [
        ['stsz', 12],
        ['stts', 8],
        ['stts', 12],
        ['ctts', 12],
        ['stco', 8],
      ] as const) {
        const given = await readFile(new URL('../media/fixtures/v00-good.mp4', import.meta.url));
        given.writeUInt32BE(0xffff_ffff, given.indexOf(table) + offset);
        await assert.rejects(inspect(await fileAt('tables.mp4', given)), unusable('undecodable'), table);
      }
      const given = await readFile(new URL('../media/fixtures/v00-good.mp4', import.meta.url));
      given.writeUInt32BE(0xffff_ffff, given.indexOf('ctts') + 12);
      given.write('none', given.indexOf('stsz'), 'latin1');
      await assert.rejects(inspect(await fileAt('tables.mp4', given)), unusable('undecodable'));
    });

    test('rejects an unknown codec, or one without its configuration', async () => {
      const strange = Buffer.from(whole);
      strange.write('zzz9', strange.indexOf('avc1', strange.indexOf('stsd')), 'latin1');
      await assert.rejects(
        inspect(await fileAt('strange.mp4', strange)),
        unusable('unknown_codec', 'undecodable', 'unplayable'),
      );
      const withoutConfiguration = Buffer.from(whole);
      withoutConfiguration.write('none', withoutConfiguration.indexOf('avcC'), 'latin1');
      await assert.rejects(
        inspect(await fileAt('no-configuration.mp4', withoutConfiguration)),
        unusable('unknown_codec', 'undecodable', 'unplayable'),
      );
    });

    test('reports a missing file as a storage problem, and rejects with the reason of an abort', async () => {
      const isStorageProblem = (error: unknown) => error instanceof Problem && error.code === 'ERR_6002';
      await assert.rejects(inspect(inFolder('gone.mp4')), isStorageProblem);
      const reason = new Error('enough');
      await assert.rejects(inspect(inFolder('whole.mp4'), AbortSignal.abort(reason)), reason);
    });
  });
}

describe('the difference between the probes', () => {
  test('the container-level one writes no thumbnail', async () => {
    await rm(thumbnailPath, { force: true });
    await createContainerProbe().probe(await clipAt('plain.mp4', {}), { thumbnailPath });
    await assert.rejects(access(thumbnailPath));
  });

  test('the container-level one rejects what it would have to decode, the decoding one makes H.264 of it', async () => {
    const path = await clipAt('a.webm', { container: 'webm', codec: 'vp9' });
    const request = { thumbnailPath, playablePath };
    await assert.rejects(createContainerProbe().probe(path, request), unusable('unplayable'));
    const decoding = PROBES.decoding();
    const { codec, durationSeconds } = await decoding.probe(path, request).finally(() => decoding.close());
    assert.deepEqual([codec, durationSeconds], ['avc', 2]);
  });

  test('a container-level probe that does not end in time says nothing about the file', async () => {
    const hurried = createContainerProbe({ timeoutMs: 0 });
    const path = await clipAt('plain.mp4', { frames: 200 });
    await assert.rejects(hurried.probe(path, { thumbnailPath }), ProbeUnavailable);
  });

  test('the container-level one accepts frames whose damage only a decoder sees, the decoding one does not', async () => {
    const damaged = await readFile(new URL('../media/fixtures/v00-good.mp4', import.meta.url));
    const { start, end } = sampleRanges(damaged)[50] ?? { start: 0, end: 0 };
    for (let at = start + 12; at < end; at++) damaged[at] = (at * 2_654_435_761) >>> 24;
    const path = await fileAt('damaged.mp4', damaged);
    assert.equal((await createContainerProbe().probe(path, { thumbnailPath })).codec, 'avc');
    const decoding = PROBES.decoding();
    await assert
      .rejects(decoding.probe(path, { thumbnailPath }), unusable('undecodable', 'crashed'))
      .finally(() => decoding.close());
  });
});

/** The file with a segment index behind its header, which promises this many bytes. */
function withSegmentIndex(file: Buffer, bytes: number): Buffer {
  const index = Buffer.alloc(44);
  index.writeUInt32BE(44, 0);
  index.write('sidx', 4, 'latin1');
  index.writeUInt32BE(1, 12);
  index.writeUInt32BE(12_288, 16);
  index.writeUInt16BE(1, 30);
  index.writeUInt32BE(bytes, 32);
  return Buffer.concat([file.subarray(0, 779), index, file.subarray(779)]);
}
