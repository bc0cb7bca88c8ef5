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
import { createProbe, type UnusableReason, UnusableVideo } from '../../src/media/probe.ts';
import { compileCache } from '../../src/platform/compile-cache.ts';
import { type Clip, makeClip } from '../media/make-video.ts';

const folder = await mkdtemp(join(tmpdir(), 'rendio-probes-'));
after(() => rm(folder, { recursive: true, force: true }));
const inFolder = (name: string) => join(folder, name);
const thumbnailPath = inFolder('thumbnail.jpg');

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
    const inspect = (path: string, signal?: AbortSignal) => probe.probe(path, { thumbnailPath }, signal);
    let whole: Buffer;
    before(async () => {
      whole = await readFile(await clipAt('whole.mp4', { width: 320, height: 180, frames: 30 }));
    });

    test('describes a whole MP4', async () => {
      const found = await inspect(inFolder('whole.mp4'));
      const size = { width: 320, height: 180 };
      assert.deepEqual(found, { container: 'mp4', codec: 'avc', ...size, durationSeconds: 3, fps: 10 });
    });

    test('describes QuickTime, WebM, a single frame, and a rotated video', async () => {
      const mov = await inspect(await clipAt('a.mov', { container: 'mov' }));
      assert.deepEqual([mov.container, mov.codec, mov.durationSeconds], ['mov', 'avc', 2]);
      const webm = await inspect(await clipAt('a.webm', { container: 'webm', codec: 'vp9' }));
      assert.deepEqual([webm.container, webm.codec, webm.durationSeconds], ['webm', 'vp9', 2]);
      assert.equal((await inspect(await clipAt('one.mp4', { frames: 1 }))).durationSeconds, 0.1);
      const rotated = await inspect(await clipAt('rotated.mp4', { width: 64, height: 36, rotation: 90 }));
      assert.deepEqual([rotated.width, rotated.height], [36, 64]);
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

    test('rejects an unknown codec, or one without its configuration', async () => {
      const strange = Buffer.from(whole);
      strange.write('zzz9', strange.indexOf('avc1', strange.indexOf('stsd')), 'latin1');
      await assert.rejects(inspect(await fileAt('strange.mp4', strange)), unusable('unknown_codec', 'undecodable'));
      const withoutConfiguration = Buffer.from(whole);
      withoutConfiguration.write('none', withoutConfiguration.indexOf('avcC'), 'latin1');
      await assert.rejects(
        inspect(await fileAt('no-configuration.mp4', withoutConfiguration)),
        unusable('unknown_codec', 'undecodable'),
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

  test('the container-level one accepts damaged frames of the right size, the decoding one does not', async () => {
    const path = await clipAt('damaged.mp4', { width: 320, height: 180, frames: 30 });
    const damaged = await readFile(path);
    const sizes = damaged.indexOf('stsz');
    const lastBytes = damaged.readUInt32BE(sizes + 16 + 4 * (damaged.readUInt32BE(sizes + 12) - 1));
    damaged.fill(0xff, damaged.length - lastBytes);
    await fileAt('damaged.mp4', damaged);
    assert.equal((await createContainerProbe().probe(path, { thumbnailPath })).codec, 'avc');
    const decoding = PROBES.decoding();
    await assert
      .rejects(decoding.probe(path, { thumbnailPath }), unusable('undecodable', 'crashed'))
      .finally(() => decoding.close());
  });
});
