import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../src/kernel/clock.ts';
import { Problem } from '../../src/kernel/errors.ts';
import { createS3Store, type S3Options } from '../../src/media/s3.ts';
import { startS3 } from '../support/s3.ts';
import { storeConformance } from './store-conformance.ts';

const tempFolder = await mkdtemp(join(tmpdir(), 'rendio-s3-'));
const s3 = await startS3(['media', 'videos', 'thumbnails', 'user_uploads']);
after(async () => {
  await s3[Symbol.asyncDispose]();
  await rm(tempFolder, { recursive: true, force: true });
});

const s3Options: S3Options = {
  endpoint: s3.endpoint,
  region: 'us-east-1',
  bucket: 'media',
  accessKeyId: 'S3RVER',
  secretAccessKey: 'S3RVER',
  fetch,
  clock: systemClock,
};

const S3RVER = {
  replacedWhileRead: 's3rver writes into the file that it is reading from; S3 does not',
  removedWhileWritten: 's3rver removes folders that it is about to write into; S3 has none',
};
storeConformance('a bucket', async () => createS3Store(s3Options), S3RVER);
storeConformance('a bucket for each kind', async () => createS3Store({ ...s3Options, bucket: null }), S3RVER);

describe('an S3 store', () => {
  const source = join(tempFolder, 'source.mp4');
  const key = () => `videos/${randomUUID()}/a.mp4`;
  before(() => writeFile(source, 'some bytes'));

  /** A store whose calls `intercept` may answer; the others are sent. `seen` lists all calls. */
  function interceptedStore(intercept: (method: string, url: URL, nth: number) => Response | Error | null) {
    const seen: string[] = [];
    const interceptingFetch: typeof fetch = (input, init) => {
      const url = new URL(String(input));
      const method = init?.method ?? 'GET';
      seen.push(`${method} ${url.search.replace(/=[^&]*/g, '')}`.trim());
      const answer = intercept(method, url, seen.length);
      if (answer instanceof Error) return Promise.reject(answer);
      return answer ? Promise.resolve(answer) : fetch(input, init);
    };
    return { seen, store: createS3Store({ ...s3Options, fetch: interceptingFetch }) };
  }

  test('a file of several parts is stored whole, one part after another', async () => {
    const path = join(tempFolder, 'long.mp4');
    const bytes = 14_000_001;
    const hash = createHash('sha256');
    await using file = await open(path, 'w');
    for (let at = 0; at < bytes; at += 1_000_000) {
      const piece = Buffer.alloc(Math.min(1_000_000, bytes - at), at / 1_000_000);
      hash.update(piece);
      await file.writeFile(piece);
    }
    const sha256 = hash.digest('hex');
    const { store, seen } = interceptedStore(() => null);
    const name = key();
    assert.deepEqual(await store.putFile(name, path), { bytes, sha256 });
    assert.deepEqual(seen, ['POST ?uploads', ...Array(3).fill('PUT ?partNumber&uploadId'), 'POST ?uploadId', 'HEAD']);
    const read = createHash('sha256');
    for await (const piece of (await store.read(name)) ?? []) read.update(piece);
    assert.equal(read.digest('hex'), sha256);
    await store.remove(name);
  });

  test('an upload that fails in the middle is aborted and leaves nothing', async () => {
    const path = join(tempFolder, 'broken.mp4');
    await writeFile(path, Buffer.alloc(9_000_000));
    const denied = () => new Response('<Error><Code>AccessDenied</Code></Error>', { status: 403 });
    const { store, seen } = interceptedStore((method, url) =>
      method === 'PUT' && url.searchParams.get('partNumber') === '2' ? denied() : null,
    );
    const name = key();
    await assert.rejects(store.putFile(name, path), isStorageProblem(/403 AccessDenied/));
    assert.equal(seen.at(-1), 'DELETE ?uploadId');
    assert.equal(await store.info(name), null);
  });

  test('a transient failure is retried: a busy store, a cut connection', async () => {
    const { store, seen } = interceptedStore((_, __, nth) => {
      if (nth === 1) return new Response('<Error><Code>SlowDown</Code></Error>', { status: 503 });
      return nth === 2 ? new TypeError('fetch failed') : null;
    });
    const name = key();
    await store.putFile(name, source);
    assert.deepEqual(seen, ['PUT', 'PUT', 'PUT', 'HEAD']);
    assert.equal((await store.info(name))?.bytes, 10);
    await store.remove(name);
  });

  test('a permanent failure is ERR_6002 at once, with the store’s error code for the log and no signature', async () => {
    const body = '<Error><Code>SignatureDoesNotMatch</Code><StringToSign>secret</StringToSign></Error>';
    const { store, seen } = interceptedStore(() => new Response(body, { status: 403 }));
    const isAccessError = isStorageProblem(/^the store answered 403 SignatureDoesNotMatch$/);
    const name = key();
    await assert.rejects(store.putFile(name, source), isAccessError);
    for (const verb of [store.info, store.read, store.remove]) await assert.rejects(verb(name), isAccessError);
    assert.equal(seen.length, 4);
    const missing = createS3Store({ ...s3Options, bucket: 'missing' });
    await assert.rejects(missing.putFile(name, source), isStorageProblem(/404 NoSuchBucket/));
  });

  test('an unavailable store is ERR_6002 after four attempts', async () => {
    const { store, seen } = interceptedStore(() => new TypeError('fetch failed'));
    await assert.rejects(store.info(key()), isStorageProblem(/fetch failed/));
    assert.equal(seen.length, 4);
  });

  test('another range than the requested one is never returned', async () => {
    const headers = { 'Content-Range': 'bytes 0-9/10' };
    const { store } = interceptedStore(() => new Response('some bytes', { status: 206, headers }));
    await assert.rejects(store.read(key(), { start: 2, end: 3 }), isStorageProblem(/another range/));
    const whole = interceptedStore(() => new Response('some bytes'));
    await assert.rejects(whole.store.read(key(), { start: 2, end: 3 }), isStorageProblem(/another range/));
  });

  test('an upload has its hash in a header, so that the store rejects changed bytes', async () => {
    const sent: [string | null, string][] = [];
    const recordingFetch: typeof fetch = async (input, init) => {
      const body = new Uint8Array(await new Response(init?.body).arrayBuffer());
      const hash = new Headers(init?.headers).get('X-Amz-Content-Sha256');
      sent.push([hash, createHash('sha256').update(body).digest('hex')]);
      return fetch(input, { ...init, ...(init?.body && { body }) });
    };
    await createS3Store({ ...s3Options, fetch: recordingFetch }).putFile(key(), source);
    assert.equal(sent.length, 2, 'the upload, and a look at what became of it');
    for (const [announced, actual] of sent) assert.equal(announced, actual);
  });

  test('a put that is aborted during the upload ends at once and leaves nothing', async () => {
    const controller = new AbortController();
    const reason = new Error('the job was cancelled');
    const { store } = interceptedStore(() => {
      controller.abort(reason);
      return null;
    });
    const name = key();
    await assert.rejects(store.putFile(name, source, controller.signal), reason);
    assert.equal(await createS3Store(s3Options).info(name), null);
  });
});

function isStorageProblem(cause: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof Problem && error.code === 'ERR_6002', String(error));
    assert.match(error.cause instanceof Error ? error.cause.message : '', cause);
    return true;
  };
}
