import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdirSync, truncateSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Problem } from '../../src/kernel/errors.ts';
import { createDiskStore } from '../../src/media/disk.ts';
import { storageProblem } from '../../src/media/storage-problem.ts';
import { allOf } from '../support/all-of.ts';
import { storeConformance } from './store-conformance.ts';

const tempFolder = await mkdtemp(join(tmpdir(), 'rendio-disk-'));
after(() => rm(tempFolder, { recursive: true, force: true }));

const newFolder = (): string => join(tempFolder, randomUUID());
const source = join(tempFolder, 'source.mp4');
await writeFile(source, 'some bytes');

storeConformance('a folder', async () => createDiskStore({ folder: newFolder() }));

const isStorageProblem = (error: unknown): boolean => error instanceof Problem && error.code === 'ERR_6002';

test('a failing disk is ERR_6002 in every method, with its cause for the log', async () => {
  const folder = newFolder();
  await writeFile(folder, 'a file where the store’s folder should be');
  const store = createDiskStore({ folder });
  await assert.rejects(store.putFile('videos/a.mp4', source), (error) => {
    assert.ok(isStorageProblem(error) && error instanceof Problem && error.cause instanceof Error);
    return true;
  });
  await assert.rejects(
    createDiskStore({ folder: newFolder() }).putFile('videos/a.mp4', '/no/such/file'),
    isStorageProblem,
  );
  const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  assert.equal(storageProblem(full).code, 'ERR_6002');
  assert.equal(storageProblem(full).cause, full);
});

test('a folder that may not be written to is ERR_6002', {
  skip: process.getuid?.() === 0 && 'root may write anywhere',
}, async () => {
  const folder = newFolder();
  await mkdir(folder);
  await chmod(folder, 0o500);
  await assert.rejects(createDiskStore({ folder }).putFile('videos/a.mp4', source), isStorageProblem);
});

test('a file that the disk does not show whole is not stored', async () => {
  const folder = newFolder();
  const { signal } = new AbortController();
  // Asked before each piece: before the end is found, the disk loses what it took.
  signal.throwIfAborted = () => {
    for (const name of readdirSync(join(folder, '~incoming'))) truncateSync(join(folder, '~incoming', name), 4);
  };
  await assert.rejects(createDiskStore({ folder }).putFile('videos/a.mp4', source, signal), isStorageProblem);
});

test('objects and their folders are for their owner alone', async () => {
  const folder = newFolder();
  await createDiskStore({ folder }).putFile('videos/user/2026-11/a.mp4', source);
  for (const name of ['', ...(await readdir(folder, { recursive: true }))]) {
    assert.equal((await stat(join(folder, name))).mode & 0o077, 0, name);
  }
});

test('a folder that can be neither found nor made fails at once', { skip: process.platform !== 'linux' }, async () => {
  const link = newFolder();
  await symlink(join(tempFolder, 'nowhere', 'at', 'all'), link);
  for (const folder of ['/proc/nope', join(link, 'below')]) {
    await assert.rejects(createDiskStore({ folder }).putFile('videos/a.mp4', source), isStorageProblem, folder);
  }
});

test('a failed put leaves no incomplete file, and a user’s folders are deleted with the last object', async () => {
  const folder = newFolder();
  const store = createDiskStore({ folder });
  await mkdir(join(folder, 'videos', 'user', 'taken.mp4'), { recursive: true });
  await assert.rejects(store.putFile('videos/user/taken.mp4', source), isStorageProblem);
  assert.deepEqual(await readdir(join(folder, '~incoming')), []);

  await store.putFile('videos/other/2026-11/a.mp4', source);
  await store.putFile('videos/other/2026-12/b.mp4', source);
  await store.remove('videos/other/2026-11/a.mp4');
  assert.deepEqual(await readdir(join(folder, 'videos', 'other')), ['2026-12']);
  await store.remove('videos/other/2026-12/b.mp4');
  assert.deepEqual(await readdir(join(folder, 'videos')), ['user']);
});

test('an incomplete file that a crash left is deleted after a day, and not before', async () => {
  const folder = newFolder();
  const incoming = join(folder, '~incoming');
  await mkdir(incoming, { recursive: true });
  await writeFile(join(incoming, 'old'), 'half a video');
  await writeFile(join(incoming, 'new'), 'another server is writing this');
  const yesterday = new Date(Date.now() - 25 * 3_600_000);
  await utimes(join(incoming, 'old'), yesterday, yesterday);
  await createDiskStore({ folder }).putFile('videos/a.mp4', source);
  assert.deepEqual(await readdir(incoming), ['new']);
});

test('a stream that is cancelled closes its file', async () => {
  const store = createDiskStore({ folder: newFolder() });
  const large = join(tempFolder, 'large.mp4');
  await writeFile(large, Buffer.alloc(2_000_000));
  await store.putFile('videos/a.mp4', large);
  const openFiles = async (): Promise<number> => (await readdir('/proc/self/fd').catch(() => [])).length;
  const before = await openFiles();
  for (let round = 0; round < 20; round++) {
    const stream = await store.read('videos/a.mp4');
    const reader = stream?.getReader();
    await reader?.read();
    await reader?.cancel();
  }
  assert.equal(await openFiles(), before);
});

test('a list leaves out links and names that are no keys, and what cut-off writes left goes a day later', async () => {
  const folder = newFolder();
  const store = createDiskStore({ folder });
  await store.putFile('videos/a/b.mp4', source);
  await writeFile(join(folder, 'videos', 'not a key'), 'x');
  await symlink(tempFolder, join(folder, 'videos', 'elsewhere'));
  assert.deepEqual(
    (await allOf(store.list('videos'))).flat().map(({ key }) => key),
    ['videos/a/b.mp4'],
  );
  assert.deepEqual(await allOf(store.list('thumbnails')), []);

  const [old, young] = [join(folder, '~incoming', 'old'), join(folder, '~incoming', 'young')];
  await Promise.all([old, young].map((path) => writeFile(path, 'half')));
  const dayAgo = new Date(Date.now() - 86_400_000);
  await utimes(old, dayAgo, new Date(dayAgo.getTime() - 1_000));
  assert.deepEqual([await store.removeUnfinished(dayAgo), await store.removeUnfinished(dayAgo)], [1, 0]);
  assert.deepEqual(await readdir(join(folder, '~incoming')), ['young']);
  assert.equal(await createDiskStore({ folder: newFolder() }).removeUnfinished(dayAgo), 0);
});
