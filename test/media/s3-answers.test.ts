/** What an S3 store answers is not always what it does. */
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, mock, test } from 'node:test';
import { systemClock } from '../../src/kernel/clock.ts';
import { Problem } from '../../src/kernel/errors.ts';
import { createS3Store } from '../../src/media/s3.ts';
import { STORE_ID_KEY } from '../../src/media/store.ts';
import { allOf } from '../support/all-of.ts';
import { startS3 } from '../support/s3.ts';

const tempFolder = await mkdtemp(join(tmpdir(), 'rendio-s3-'));
const s3 = await startS3(['media']);
after(async () => {
  await s3[Symbol.asyncDispose]();
  await rm(tempFolder, { recursive: true, force: true });
});

const short = join(tempFolder, 'short.mp4');
const long = join(tempFolder, 'long.mp4');
const LONG = Buffer.alloc(6_000_000, 'video');
before(async () => {
  await writeFile(short, 'some bytes');
  await writeFile(long, LONG);
});

type Call = { method: string; url: URL; headers: Headers; nth: number; send(): Promise<Response> };

/** A store behind a proxy that may answer by itself; without the waits between tries. `seen` lists all calls. */
function behind(answer: (call: Call) => Response | Promise<Response> | null) {
  const seen: string[] = [];
  const proxy: typeof fetch = async (input, init) => {
    const url = new URL(String(input));
    const method = init?.method ?? 'GET';
    seen.push(`${method} ${url.search.replace(/=[^&]*/g, '')}`.trim());
    const send = () => fetch(input, init);
    return (await answer({ method, url, headers: new Headers(init?.headers), nth: seen.length, send })) ?? send();
  };
  const keys = { region: 'us-east-1', accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
  const tools = { sleep: async () => {}, random: () => 0 };
  const options = { endpoint: s3.endpoint, bucket: 'media', ...keys, fetch: proxy, clock: systemClock, tools };
  return { seen, store: createS3Store(options) };
}

const key = () => `videos/${randomUUID()}/a.mp4`;
const isCompletion = ({ method, url }: Call) => method === 'POST' && url.searchParams.has('uploadId');
const isUnavailable = (error: unknown) => error instanceof Problem && error.code === 'ERR_6002';

const NO_RESULTS: Record<string, string> = {
  blank: '      ',
  nothing: '',
  'an error': '<?xml version="1.0"?>\n<Error><Code>InternalError</Code></Error>',
  'an error in a namespace':
    ' \n<Error xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Code>InternalError</Code></Error>',
  'an error with a prefix': '<s3:Error xmlns:s3="urn:s3"><s3:Code>SlowDown</s3:Code></s3:Error>',
  'a proxy’s page': '<!doctype html><title>Just a moment</title>',
  'half a result': '<?xml version="1.0"?><CompleteMultipartUploadRes',
  JSON: '{"ok":true}',
};

describe('a completed upload counts only when the store shows it', () => {
  for (const [name, body] of Object.entries(NO_RESULTS)) {
    test(`200 with ${name}, and no object: the upload has failed, and leaves nothing`, async () => {
      const { store, seen } = behind((call) => (isCompletion(call) ? new Response(body) : null));
      const name = key();
      await assert.rejects(store.putFile(name, long), isUnavailable);
      assert.equal(seen.filter((call) => call === 'POST ?uploadId').length, 4, 'it was tried again');
      assert.equal(seen.at(-1), 'DELETE ?uploadId');
      assert.equal(await store.info(name), null);
    });
  }

  test('a garbled answer to a completion that was done does not matter', async () => {
    const { store } = behind((call) => (isCompletion(call) ? call.send().then(() => new Response('   ')) : null));
    const sha256 = createHash('sha256').update(LONG).digest('hex');
    const name = key();
    assert.deepEqual(await store.putFile(name, long), { bytes: LONG.length, sha256 });
    assert.equal((await store.info(name))?.bytes, LONG.length);
  });

  test('a completion that failed once is tried again', async () => {
    let failures = 1;
    const { store } = behind((call) => (isCompletion(call) && failures-- > 0 ? new Response('<Error/>') : null));
    const name = key();
    await store.putFile(name, long);
    assert.equal((await store.info(name))?.bytes, LONG.length);
  });

  test('a success in the body and no object: the upload has failed', async () => {
    const result = '<CompleteMultipartUploadResult><ETag>"x"</ETag></CompleteMultipartUploadResult>';
    const { store } = behind((call) => (isCompletion(call) ? new Response(result) : null));
    await assert.rejects(store.putFile(key(), long), isUnavailable);
  });
});

describe('a list of a bucket', () => {
  const object = (name: string) =>
    `<Contents><Key>videos/${name}</Key><LastModified>2026-11-23T09:30:00.000Z</LastModified></Contents>`;
  const page = (names: string[], next?: string) =>
    new Response(
      `<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${names.map(object).join('')}` +
        `<IsTruncated>${next !== undefined}</IsTruncated>${next === undefined ? '' : `<NextContinuationToken>${next}</NextContinuationToken>`}</ListBucketResult>`,
    );
  const names = async (pages: AsyncIterable<{ key: string }[]>) => (await allOf(pages)).flat().map(({ key }) => key);

  test('follows the store’s tokens, takes the namespace and escapes as they come, and leaves out what is no key', async () => {
    const { store } = behind(({ url }) =>
      url.searchParams.get('continuation-token') === 'a&b'
        ? new Response(
            `<s3:ListBucketResult xmlns:s3="x"><s3:Contents><s3:Key>videos/c.mp4</s3:Key><s3:LastModified>2026-11-23T09:30:00Z</s3:LastModified></s3:Contents></s3:ListBucketResult>`,
          )
        : page(['a.mp4', 'not a key', 'b&amp;.mp4'], 'a&amp;b'),
    );
    assert.deepEqual(await names(store.list('videos')), ['videos/a.mp4', 'videos/c.mp4']);
  });

  test('is not taken up with the object that it ended with, where a store gives that one again', async () => {
    const { store } = behind(() => page(['b.mp4', 'c.mp4']));
    assert.deepEqual(await names(store.list('videos', 'videos/b.mp4')), ['videos/c.mp4']);
  });

  test('of a store that does not go on ends with a failure, and not never', async () => {
    for (const next of ['same', '']) {
      const { store } = behind(() => page(['a.mp4'], next));
      await assert.rejects(names(store.list('videos')), isUnavailable, next);
    }
  });

  test('that a proxy answers, or without a bucket, is a failure and no empty list', async () => {
    const answers = [
      () => new Response('<html>Sign in</html>'),
      () => new Response('<Error><Code>NoSuchBucket</Code></Error>', { status: 404 }),
    ];
    for (const answer of answers) {
      const { store } = behind(answer);
      await assert.rejects(names(store.list('videos')), isUnavailable);
    }
  });
});

test('uploads in parts of our buckets that began before a time are ended, and no others', async () => {
  const ended: string[] = [];
  const upload = (key: string, id: string, time: string) =>
    `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${time}</Initiated></Upload>`;
  const { store } = behind(({ method, url }) => {
    if (method === 'DELETE') ended.push(`${url.pathname} ${url.searchParams.get('uploadId')}`);
    if (method === 'DELETE') return new Response(null, { status: 204 });
    assert.deepEqual([url.searchParams.has('uploads'), url.searchParams.has('prefix')], [true, false]);
    return new Response(
      `<ListMultipartUploadsResult>${upload('videos/a/old.mp4', 'one', '2026-11-21T00:00:00Z')}${upload('videos/a/new.mp4', 'two', '2026-11-23T00:00:00Z')}` +
        `${upload('backups/a/old.tar', 'three', '2026-11-21T00:00:00Z')}</ListMultipartUploadsResult>`,
    );
  });
  assert.equal(await store.removeUnfinished(new Date('2026-11-22T00:00:00Z')), 1);
  assert.deepEqual(ended, ['/media/videos/a/old.mp4 one']);
  const { store: without } = behind(() => new Response('<Error><Code>NotImplemented</Code></Error>', { status: 501 }));
  assert.equal(await without.removeUnfinished(new Date()), 0);
});

describe('a put counts only when the store shows the object', () => {
  test('a put that is answered with 200 and dropped has failed', async () => {
    for (const body of ['', '<html>Sign in</html>']) {
      const { store } = behind(({ method }) => (method === 'PUT' ? new Response(body) : null));
      await assert.rejects(store.putFile(key(), short), isUnavailable, body);
    }
  });

  test('a deletion that a proxy answers is tried again', async () => {
    let pages = 1;
    const { store, seen } = behind(({ method }) =>
      method === 'DELETE' && pages-- > 0 ? new Response('<!DOCTYPE html><title>Just a moment</title>') : null,
    );
    await store.remove(key());
    assert.deepEqual(seen, ['DELETE', 'DELETE']);
  });

  test('an object of another size is not the file', async () => {
    const headers = { 'Content-Length': '9', ETag: '"x"', 'Last-Modified': new Date(0).toUTCString() };
    const { store } = behind(({ method }) => (method === 'HEAD' ? new Response(null, { headers }) : null));
    await assert.rejects(store.putFile(key(), short), isUnavailable);
  });

  test('a store may show a new object only after a moment', async () => {
    let hidden = 2;
    const { store, seen } = behind(({ method }) =>
      method === 'HEAD' && hidden-- > 0 ? new Response(null, { status: 404 }) : null,
    );
    assert.equal((await store.putFile(key(), short)).bytes, 10);
    assert.deepEqual(seen, ['PUT', 'HEAD', 'HEAD', 'HEAD']);
  });
});

test('a missing object is missing, also where the store answers 403 for it; a revoked key is not', async () => {
  let isRevoked = false;
  const denied = (code: string) => new Response(`<Error><Code>${code}</Code></Error>`, { status: 403 });
  const { store } = behind(async ({ method, send }) => {
    if (isRevoked) return method === 'HEAD' ? new Response(null, { status: 403 }) : denied('AccessDenied');
    const answer = await send();
    if (answer.status !== 404) return answer;
    return method === 'HEAD' ? new Response(null, { status: 403 }) : denied('AccessDenied');
  });
  assert.equal(await store.read(STORE_ID_KEY), null, 'a new store has no id');
  await store.putFile(STORE_ID_KEY, short);
  assert.equal(await store.info(key()), null);
  assert.equal(await store.read(key()), null);
  assert.equal(await store.read(key(), { start: 0, end: 1 }), null);
  isRevoked = true;
  await assert.rejects(store.info(key()), isUnavailable);
  await assert.rejects(store.read(key()), isUnavailable);
});

test('a wrong signature, or a bucket that is gone, is no missing object', async () => {
  for (const [status, code] of [
    [403, 'SignatureDoesNotMatch'],
    [404, 'NoSuchBucket'],
  ] as const) {
    const { store } = behind(() => new Response(`<Error><Code>${code}</Code></Error>`, { status }));
    await assert.rejects(store.read(STORE_ID_KEY), isUnavailable, code);
  }
});

test('nothing compressed is asked for, in a header that is not signed: proxies rewrite it', async () => {
  const { store } = behind(({ headers }) => {
    assert.equal(headers.get('Accept-Encoding'), 'identity');
    assert.doesNotMatch(headers.get('Authorization') ?? '', /accept-encoding/i);
    return null;
  });
  assert.equal(await store.info(key()), null);
});

describe('a silent store', () => {
  const silence = (_: unknown, init?: RequestInit) =>
    new Promise<Response>((_resolve, reject) => {
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason), { once: true });
    });
  const keys = { region: 'us-east-1', accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
  const storeOf = (send: typeof fetch) =>
    createS3Store({ endpoint: s3.endpoint, bucket: 'media', ...keys, fetch: send, clock: systemClock });

  test('gets one try of five seconds from a person who waits: to read, to look, to remove', async (t) => {
    let calls = 0;
    const store = storeOf((...call) => {
      calls += 1;
      return silence(...call);
    });
    for (const verb of [store.info, store.read, store.remove]) {
      calls = 0;
      t.mock.timers.enable({ apis: ['setTimeout'] });
      const ended = assert.rejects(verb(key()), isUnavailable);
      while (calls === 0) await new Promise(setImmediate);
      t.mock.timers.tick(5_000);
      await ended;
      t.mock.timers.reset();
      assert.equal(calls, 1);
    }
  });

  test('that stops after its headers, or in the middle of the bytes, does not keep its reader waiting', async () => {
    for (const [pieces, ms] of [
      [0, 5_000],
      [1, 30_000],
    ] as const) {
      let left: number = pieces;
      const pull = (controller: ReadableStreamDefaultController) => {
        if (left-- > 0) controller.enqueue(new Uint8Array(3));
      };
      const store = storeOf(async () => new Response(new ReadableStream({ pull }, { highWaterMark: 0 })));
      mock.timers.enable({ apis: ['setTimeout'] });
      try {
        const reader = (await store.read(key()))?.getReader();
        for (let piece = 0; piece < pieces; piece += 1) assert.equal((await reader?.read())?.value?.length, 3);
        const stuck = assert.rejects(reader?.read() ?? Promise.resolve(), /stopped sending/);
        await new Promise(setImmediate);
        mock.timers.tick(ms);
        await stuck;
      } finally {
        mock.timers.reset();
      }
    }
  });
});
