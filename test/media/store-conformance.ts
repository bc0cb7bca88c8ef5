/** What every media store guarantees. */
import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Problem } from '../../src/kernel/errors.ts';
import type { ByteRange, ListedMedia, MediaStore } from '../../src/media/store.ts';
import { allOf } from '../support/all-of.ts';

/** Why the test's storage service cannot do something that the real one does; a reason skips the test. */
export type Limitations = { replacedWhileRead?: string; removedWhileWritten?: string };

/** `makeStore` is called once. The store may have other objects; the suite deletes all of its own. */
export function storeConformance(
  name: string,
  makeStore: () => Promise<MediaStore>,
  { replacedWhileRead, removedWhileWritten }: Limitations = {},
): void {
  describe(`${name} keeps media`, () => {
    let store: MediaStore;
    let folder: string;
    before(async () => {
      store = await makeStore();
      folder = await mkdtemp(join(tmpdir(), 'rendio-store-'));
    });
    after(() => rm(folder, { recursive: true, force: true }));

    const fileOf = async (bytes: Uint8Array): Promise<string> => {
      const path = join(folder, randomUUID());
      await writeFile(path, bytes);
      return path;
    };
    const bytesOf = async (key: string, range?: ByteRange): Promise<Buffer | null> => {
      const stream = await store.read(key, range);
      return stream && Buffer.from(await new Response(stream).arrayBuffer());
    };
    const newKey = (): string => `videos/${randomUUID()}/2026-11/${randomUUID()}.mp4`;

    /** An object for one test. */
    const withObject = async (bytes: Buffer, use: (key: string) => Promise<void>): Promise<void> => {
      const key = newKey();
      await store.putFile(key, await fileOf(bytes));
      try {
        await use(key);
      } finally {
        await store.remove(key);
      }
    };

    test('a stored object is read byte for byte, with its size and hash', async () => {
      const bytes = randomBytes(3_000_001);
      const key = newKey();
      const stored = await store.putFile(key, await fileOf(bytes));
      assert.deepEqual(stored, { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
      assert.deepEqual(await bytesOf(key), bytes);
      assert.equal((await store.info(key))?.bytes, bytes.length);
      await store.remove(key);
    });

    test('an empty file is an object too', () =>
      withObject(Buffer.alloc(0), async (key) => {
        assert.equal((await store.info(key))?.bytes, 0);
        assert.deepEqual(await bytesOf(key), Buffer.alloc(0));
      }));

    test('a range is read with both its ends', async () => {
      const bytes = randomBytes(700_000);
      const ranges: ByteRange[] = [
        { start: 0, end: 0 },
        { start: 0, end: 699_999 },
        { start: 131_071, end: 131_072 },
        { start: 262_144, end: 599_999 },
        { start: 699_999, end: 699_999 },
      ];
      await withObject(bytes, async (key) => {
        for (const range of ranges) {
          const read = await bytesOf(key, range);
          assert.ok(read?.equals(bytes.subarray(range.start, range.end + 1)), `${range.start}–${range.end}`);
        }
      });
    });

    test('the entity tag is strong, does not change while the object does not, and changes with its bytes', () =>
      withObject(Buffer.from('one'), async (key) => {
        const first = await store.info(key);
        assert.match(first?.etag ?? '', /^"[\x21\x23-\x7e]+"$/);
        assert.deepEqual(await store.info(key), first);
        await store.putFile(key, await fileOf(Buffer.from('two')));
        assert.notEqual((await store.info(key))?.etag, first?.etag);
        assert.deepEqual(await bytesOf(key), Buffer.from('two'));
      }));

    test(
      'a reader that started before an object is replaced gets the old one to its end',
      { skip: replacedWhileRead ?? false },
      () =>
        withObject(Buffer.alloc(600_000, 'a'), async (key) => {
          const reader = (await store.read(key))?.getReader();
          const first = await reader?.read();
          await store.putFile(key, await fileOf(Buffer.alloc(10, 'b')));
          const parts = [first?.value ?? new Uint8Array()];
          for (let next = await reader?.read(); next?.value; next = await reader?.read()) parts.push(next.value);
          assert.deepEqual(Buffer.concat(parts), Buffer.alloc(600_000, 'a'));
        }),
    );

    test('a missing object is null for readers, and removing it succeeds', async () => {
      const key = newKey();
      assert.equal(await store.info(key), null);
      assert.equal(await store.read(key), null);
      await store.remove(key);
      await store.putFile(key, await fileOf(Buffer.from('x')));
      await store.remove(key);
      await store.remove(key);
      assert.equal(await store.info(key), null);
      assert.equal(await store.read(key), null);
    });

    test('a folder of objects is not an object', () =>
      withObject(Buffer.from('x'), async (key) => {
        const parent = key.slice(0, key.lastIndexOf('/'));
        assert.equal(await store.info(parent), null);
        assert.equal(await store.read(parent), null);
        await store.remove(parent);
        assert.equal((await store.info(key))?.bytes, 1);
      }));

    test('an aborted put leaves nothing', async () => {
      const key = newKey();
      const reason = new Error('the job was cancelled');
      await assert.rejects(store.putFile(key, await fileOf(randomBytes(10)), AbortSignal.abort(reason)), reason);
      assert.equal(await store.info(key), null);
    });

    test('objects of one user are stored and removed at the same time without affecting each other', {
      skip: removedWhileWritten ?? false,
    }, async () => {
      const folderKey = `videos/${randomUUID()}/2026-11`;
      const source = await fileOf(Buffer.from('parallel'));
      const keys = Array.from({ length: 24 }, (_, index) => `${folderKey}/${index}.mp4`);
      const putAndRemove = async (key: string): Promise<void> => {
        for (let round = 0; round < 8; round++) {
          await store.putFile(key, source);
          await store.remove(key);
        }
      };
      await Promise.all(keys.map(putAndRemove));
      await Promise.all(keys.map((key) => store.putFile(key, source)));
      for (const key of keys) assert.equal((await store.info(key))?.bytes, 8);
      await Promise.all(keys.map((key) => store.remove(key)));
    });

    test('all objects of a bucket are listed in pages, and a list is taken up again after any of them', async () => {
      const source = await fileOf(Buffer.from('x'));
      const owner = randomUUID();
      const keys = ['2026-10/a.mp4', '2026-10/b.mp4', '2026-12/c.mp4', '2026-11/d.mp4', 'e.mp4'].map(
        (name) => `videos/${owner}/${name}`,
      );
      for (const key of [...keys, `thumbnails/${owner}/f.jpg`]) await store.putFile(key, source);
      const listed = async (bucket: string, after: string | null = null): Promise<ListedMedia[]> =>
        (await allOf(store.list(bucket, after))).flat().filter(({ key }) => key.includes(owner));
      const found = await listed('videos');
      assert.deepEqual(found.map(({ key }) => key).sort(), keys.toSorted());
      for (const { modifiedAt } of found) assert.ok(Math.abs(Date.now() - modifiedAt.getTime()) < 60_000);
      for (const [index, { key }] of found.entries())
        assert.deepEqual(await listed('videos', key), found.slice(index + 1));
      assert.deepEqual(await listed('user_uploads'), []);
      for (const key of [...keys, `thumbnails/${owner}/f.jpg`]) await store.remove(key);
      assert.deepEqual(await listed('videos', keys[2]), []);
    });

    const strangeKeys = [
      ...['', 'videos', 'videos/', '/videos/a', 'videos//a', 'videos/../a', 'videos/./a', '../videos/a', 'videos/a/..'],
      ...['videos/a b', 'videos/a\\b', 'videos/a\u0000', 'videos/ä', 'videos/%2e%2e/a', '~incoming/a', 'videos/a?b'],
      `videos/${'a/'.repeat(600)}a`,
      `videos/${'a'.repeat(300)}`,
    ];
    test('a key that could leave the store or needs escaping is rejected by every method', async () => {
      const source = await fileOf(Buffer.from('x'));
      const isRejection = (error: unknown): boolean => error instanceof Problem && error.code === 'ERR_4006';
      for (const key of strangeKeys) {
        const verbs = [store.putFile(key, source), store.info(key), store.read(key), store.remove(key)];
        for (const verb of verbs) await assert.rejects(verb, isRejection, JSON.stringify(key));
      }
    });
  });
}
