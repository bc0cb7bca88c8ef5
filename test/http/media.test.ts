import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { attachment } from '../../src/http/content-disposition.ts';
import type { ReadableMedia } from '../../src/http/open-media.ts';
import { type ByteRange, ifRangeMatches, isUnchanged, parseRange } from '../../src/http/range.ts';
import { serveMedia } from '../../src/http/serve-media.ts';
import { Problem } from '../../src/kernel/errors.ts';
import { recordingLog } from './harness.ts';

const WHOLE = { kind: 'whole' };
const NONE = { kind: 'unsatisfiable' };
const part = (start: number, end: number) => ({ kind: 'part', range: { start, end } });

describe('a Range header', () => {
  const cases: [header: string | null, bytes: number, expected: object][] = [
    [null, 100, WHOLE],
    ['bytes=0-99', 100, part(0, 99)],
    ['bytes=0-0', 100, part(0, 0)],
    ['bytes=10-', 100, part(10, 99)],
    ['bytes=99-', 100, part(99, 99)],
    ['bytes=50-1000', 100, part(50, 99)],
    ['bytes=-10', 100, part(90, 99)],
    ['bytes=-1000', 100, part(0, 99)],
    ['BYTES = 1 - 2', 100, part(1, 2)],
    ['bytes=0-99999999999999999999999999', 100, part(0, 99)],
    ['bytes=-99999999999999999999999999', 100, part(0, 99)],
    ['bytes=00000000000000000000001-2', 100, part(1, 2)],
    ['bytes=100-', 100, NONE],
    ['bytes=100-200', 100, NONE],
    ['bytes=99999999999999999999999999-', 100, NONE],
    ['bytes=-0', 100, NONE],
    ['bytes=-00', 100, NONE],
    ['bytes=0-', 0, NONE],
    ['bytes=-5', 0, NONE],
    ['bytes=5-4', 100, WHOLE],
    ['bytes=0-1,2-3', 100, WHOLE],
    ['bytes=', 100, WHOLE],
    ['bytes=-', 100, WHOLE],
    ['bytes=--5', 100, WHOLE],
    ['bytes=a-b', 100, WHOLE],
    ['bytes=1.5-2', 100, WHOLE],
    ['bytes=0x0-0x5', 100, WHOLE],
    ['seconds=0-5', 100, WHOLE],
    ['0-5', 100, WHOLE],
    ['', 100, WHOLE],
  ];
  for (const [header, bytes, expected] of cases) {
    test(`${JSON.stringify(header)} of ${bytes} bytes means ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(parseRange(header, bytes), expected);
    });
  }

  test('never gives a range outside the object, and never throws', () => {
    const number = fc.oneof(fc.nat().map(String), fc.bigInt({ min: 0n }).map(String), fc.constant(''));
    const header = fc.oneof(
      fc.string(),
      fc.tuple(number, number).map(([first, last]) => `bytes=${first}-${last}`),
    );
    fc.assert(
      fc.property(header, fc.nat(), (text, bytes) => {
        const parsed = parseRange(text, bytes);
        if (parsed.kind !== 'part') return;
        const { start, end } = parsed.range;
        assert.ok(0 <= start && start <= end && end < bytes, `${text} of ${bytes}: ${start}-${end}`);
      }),
      { numRuns: 1000 },
    );
  });
});

const MODIFIED_AT = new Date('2026-11-20T08:00:00.700Z');
const ETAG = '"abc"';

test('If-Range matches exactly this object, by a strong ETag or its date', () => {
  const matches = (value: string | null) => ifRangeMatches(value, ETAG, MODIFIED_AT);
  assert.ok(matches(null));
  assert.ok(matches(ETAG));
  assert.ok(matches('Fri, 20 Nov 2026 08:00:00 GMT'));
  for (const other of ['"abd"', 'W/"abc"', 'abc', 'Fri, 20 Nov 2026 08:00:01 GMT', 'yesterday'])
    assert.ok(!matches(other), other);
});

test('a copy is unchanged by any of its ETags, or by its date where no ETag is sent', () => {
  const unchanged = (headers: Record<string, string>) => isUnchanged(new Headers(headers), ETAG, MODIFIED_AT);
  assert.ok(unchanged({ 'If-None-Match': '"x", W/"abc"' }));
  assert.ok(unchanged({ 'If-None-Match': '*' }));
  assert.ok(unchanged({ 'If-Modified-Since': 'Fri, 20 Nov 2026 08:00:00 GMT' }));
  assert.ok(!unchanged({}));
  assert.ok(!unchanged({ 'If-None-Match': '"x"', 'If-Modified-Since': 'Fri, 20 Nov 2026 08:00:00 GMT' }));
  assert.ok(!unchanged({ 'If-Modified-Since': 'Fri, 20 Nov 2026 07:59:59 GMT' }));
  assert.ok(!unchanged({ 'If-Modified-Since': 'garbage' }));
});

const CONTENT = new TextEncoder().encode('0123456789');
const NOW = new Date('2026-11-23T10:00:00Z');
const KEY = 'videos/u/2026-11/job.mp4';

/** A store of one object that records its reads and whether a read was cancelled. */
function createStore(overrides: Partial<ReadableMedia> = {}) {
  const seen = { reads: [] as (ByteRange | undefined)[], cancelled: false };
  const store: ReadableMedia = {
    info: async () => ({ bytes: CONTENT.byteLength, etag: ETAG, modifiedAt: MODIFIED_AT }),
    read: async (_key, range) => {
      seen.reads.push(range);
      const bytes = CONTENT.slice(range?.start ?? 0, (range?.end ?? CONTENT.byteLength - 1) + 1);
      const left = [...bytes];
      return new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            const next = left.shift();
            if (next === undefined) controller.close();
            else controller.enqueue(new Uint8Array([next]));
          },
          cancel() {
            seen.cancelled = true;
          },
        },
        { highWaterMark: 0 },
      );
    },
    ...overrides,
  };
  return { store, seen };
}

function serve(
  store: ReadableMedia,
  init: RequestInit = {},
  more: { key?: string; download?: string; expiresAt?: Date } = {},
) {
  const log = recordingLog();
  const options = {
    store,
    key: KEY,
    expiresAt: new Date(NOW.getTime() + 90_500),
    clock: { now: () => NOW },
    log,
    ...more,
  };
  return { log, response: serveMedia({ ...options, request: new Request('http://x/', init) }) };
}

describe('a stored object', () => {
  test('is served whole, with every header that a player needs', async () => {
    const response = await serve(createStore().store).response;
    assert.equal(response.status, 200);
    assert.equal(await response.text(), '0123456789');
    assert.deepEqual(Object.fromEntries(response.headers), {
      'accept-ranges': 'bytes',
      'cache-control': 'private, max-age=90',
      'content-disposition': 'inline',
      'content-length': '10',
      'content-security-policy': "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'",
      'content-type': 'video/mp4',
      'cross-origin-resource-policy': 'cross-origin',
      etag: '"abc"',
      'last-modified': 'Fri, 20 Nov 2026 08:00:00 GMT',
      'x-content-type-options': 'nosniff',
    });
  });

  test('is served in part', async () => {
    const { store, seen } = createStore();
    const response = await serve(store, { headers: { Range: 'bytes=2-4' } }).response;
    assert.equal(response.status, 206);
    assert.equal(response.headers.get('Content-Range'), 'bytes 2-4/10');
    assert.equal(response.headers.get('Content-Length'), '3');
    assert.equal(await response.text(), '234');
    assert.deepEqual(seen.reads, [{ start: 2, end: 4 }]);
  });

  test('is served whole when the range is of another version, or there are several ranges', async () => {
    for (const headers of [{ Range: 'bytes=2-4', 'If-Range': '"old"' }, { Range: 'bytes=0-1,4-5' }]) {
      const response = await serve(createStore().store, { headers: new Headers(headers) }).response;
      assert.equal(response.status, 200);
      assert.equal(await response.text(), '0123456789');
    }
    const headers = { Range: 'bytes=2-4', 'If-Range': ETAG };
    assert.equal((await serve(createStore().store, { headers }).response).status, 206);
  });

  test('is not read for a range outside it, for HEAD, or for a client with an unchanged copy', async () => {
    const { store, seen } = createStore();
    const outside = await serve(store, { headers: { Range: 'bytes=10-' } }).response;
    assert.equal(outside.status, 416);
    assert.equal(outside.headers.get('Content-Range'), 'bytes */10');
    const head = await serve(store, { method: 'HEAD', headers: { Range: 'bytes=0-1' } }).response;
    assert.equal(head.status, 200);
    assert.equal(head.headers.get('Content-Length'), '10');
    assert.equal(head.body, null);
    const copy = await serve(store, { headers: { 'If-None-Match': ETAG, Range: 'bytes=0-1' } }).response;
    assert.equal(copy.status, 304);
    assert.equal(copy.headers.get('ETag'), ETAG);
    assert.equal(copy.headers.get('Cache-Control'), 'private, max-age=90');
    assert.equal(copy.headers.get('Content-Length'), null);
    assert.deepEqual(seen.reads, []);
  });

  test('may be embedded by any page, whichever of its answers is sent', async () => {
    const asked: [status: number, init: RequestInit][] = [
      [200, {}],
      [200, { method: 'HEAD' }],
      [206, { headers: { Range: 'bytes=2-4' } }],
      [304, { headers: { 'If-None-Match': ETAG } }],
      [416, { headers: { Range: 'bytes=10-' } }],
    ];
    for (const [status, init] of asked) {
      const response = await serve(createStore().store, init).response;
      assert.equal(response.status, status);
      assert.equal(response.headers.get('Cross-Origin-Resource-Policy'), 'cross-origin', String(status));
    }
  });

  test('is cached no longer than its URL is valid', async () => {
    const response = await serve(createStore().store, {}, { expiresAt: new Date(NOW.getTime() - 1) }).response;
    assert.equal(response.headers.get('Cache-Control'), 'private, max-age=0');
  });

  const types: [key: string, type: string][] = [
    ['thumbnails/u/a.jpg', 'image/jpeg'],
    ['user_uploads/u/a.JPEG', 'image/jpeg'],
    ['user_uploads/u/a.png', 'image/png'],
    ['user_uploads/u/a.webp', 'image/webp'],
    ['user_uploads/u/a.html', 'application/octet-stream'],
    ['user_uploads/u/a.svg', 'application/octet-stream'],
    ['user_uploads/u/constructor', 'application/octet-stream'],
  ];
  for (const [key, type] of types) {
    test(`named ${key} is ${type}`, async () => {
      const response = await serve(createStore().store, {}, { key }).response;
      assert.equal(response.headers.get('Content-Type'), type);
    });
  }

  test('that does not exist, or is deleted before it is read, gets 404', async () => {
    const missing = createStore({ info: async () => null });
    await assert.rejects(serve(missing.store).response, isProblem('ERR_4007'));
    const deleted = createStore({ read: async () => null });
    await assert.rejects(serve(deleted.store).response, isProblem('ERR_4007'));
  });

  test('that cannot be found, opened or read from the start gets 503, never a broken 200', async () => {
    const fails = async () => {
      throw new Error('ENOENT /private/path');
    };
    const failing = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error('disk')) });
    for (const broken of [{ info: fails }, { read: fails }, { read: async () => failing }]) {
      await assert.rejects(serve(createStore(broken).store).response, isProblem('ERR_6002'));
    }
  });

  test('whose read fails in the middle aborts the answer, with the cause only in the log', async () => {
    let pulls = 0;
    const breaking = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (pulls++ === 0) controller.enqueue(CONTENT.slice(0, 5));
        else controller.error(new Error('disk /private/path'));
      },
    });
    const { response, log } = serve(createStore({ read: async () => breaking }).store);
    await assert.rejects((await response).text(), (error) => !/private/.test(String(error)));
    assert.equal(log.lines.length, 1);
    assert.match(JSON.stringify(log.lines), /private/);
  });

  test('is not read further when the client cancels the body', async () => {
    const { store, seen } = createStore();
    const response = await serve(store).response;
    await response.body?.cancel();
    assert.ok(seen.cancelled);
  });

  test('is not read further when the client disconnects, before the answer or during it', async () => {
    for (const isEarly of [true, false]) {
      const { store, seen } = createStore();
      const controller = new AbortController();
      if (isEarly) controller.abort();
      const response = await serve(store, { signal: controller.signal }).response;
      controller.abort();
      assert.ok(seen.cancelled);
      await response.body?.cancel();
    }
  });
});

function isProblem(code: string) {
  return (error: unknown) => error instanceof Problem && error.code === code;
}

describe('a download', () => {
  const names: [wanted: string, header: string][] = [
    ['clip.mp4', `attachment; filename="clip.mp4"; filename*=UTF-8''clip.mp4`],
    ['', `attachment; filename="job.mp4"; filename*=UTF-8''job.mp4`],
    ['my cat.mp4', `attachment; filename="my cat.mp4"; filename*=UTF-8''my%20cat.mp4`],
    [
      'gün ışığı.mp4',
      `attachment; filename="g_n _____.mp4"; filename*=UTF-8''g%C3%BCn%20%C4%B1%C5%9F%C4%B1%C4%9F%C4%B1.mp4`,
    ],
    ['../../etc/passwd', `attachment; filename="etc_passwd"; filename*=UTF-8''etc_passwd`],
    ['a"; filename="b.exe', `attachment; filename="a__ filename=_b.exe"; filename*=UTF-8''a__%20filename%3D_b.exe`],
    ['a\r\nSet-Cookie: x=1', `attachment; filename="a__Set-Cookie_ x=1"; filename*=UTF-8''a__Set-Cookie_%20x%3D1`],
    ['gpj.\u202eexe', `attachment; filename="gpj._exe"; filename*=UTF-8''gpj._exe`],
    ["it's (1).mp4", `attachment; filename="it's (1).mp4"; filename*=UTF-8''it%27s%20%281%29.mp4`],
    ['...', `attachment; filename="job.mp4"; filename*=UTF-8''job.mp4`],
  ];
  for (const [wanted, header] of names) {
    test(`requested as ${JSON.stringify(wanted)} has a safe name`, () => assert.equal(attachment(wanted, KEY), header));
  }

  test('has the requested name', async () => {
    const response = await serve(createStore().store, {}, { download: 'cat.mp4' }).response;
    assert.match(response.headers.get('Content-Disposition') ?? '', /^attachment; filename="cat.mp4"/);
  });

  test('with any name is a valid header that stays within its quotes', () => {
    const name = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.constant('\ud800'));
    fc.assert(
      fc.property(name, (wanted) => {
        const header = attachment(wanted, KEY);
        new Headers({ 'Content-Disposition': header });
        assert.match(
          header,
          /^attachment; filename="[ !#$&-.0-[\]-~]+"; filename\*=UTF-8''[A-Za-z0-9._~!%&=+,$#@^`{}[\]-]+$/,
        );
      }),
      { numRuns: 500 },
    );
  });
});
