/** Signed URLs of videos and thumbnails: they need no token, they expire, and each opens one file only. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { startTestServer } from '../support/server.ts';
import type { Job } from './support/answers.ts';
import { call, expectStatus, send } from './support/api.ts';
import { asGuest, type Guest, newGuest, SHORT } from './support/guest.ts';
import { rawCall } from './support/raw.ts';
import { assertRefused } from './support/refusal.ts';
import { OWN_SERVER, useTarget } from './support/target.ts';

const target = useTarget();

async function makeVideo(guest: Guest): Promise<Job & { video_url: string; thumbnail_url: string }> {
  const { job_id } = await guest.start({ prompt: 'a paper boat', settings: SHORT });
  const job = await guest.waitFor(job_id, ['completed', 'failed']);
  const { video_url, thumbnail_url } = job;
  assert.ok(video_url && thumbnail_url, JSON.stringify(job));
  return { ...job, video_url, thumbnail_url };
}

async function read(url: string, headers: Record<string, string> = {}, method = 'GET') {
  const response = await send('', method, url, { headers });
  return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
}

describe('a signed URL', () => {
  let guest: Guest;
  let job: Job & { video_url: string; thumbnail_url: string };
  let whole: Buffer;
  let etag: string;
  before(async () => {
    guest = await newGuest(target.url);
    job = await makeVideo(guest);
    const reply = await read(job.video_url);
    whole = reply.bytes;
    etag = reply.headers.get('etag') ?? '';
  });

  test('serves the whole file with its length, its type, an ETag and Accept-Ranges', async () => {
    const reply = await read(job.video_url);
    assert.equal(reply.status, 200);
    assert.equal(reply.headers.get('content-type'), 'video/mp4');
    assert.equal(reply.headers.get('content-length'), String(whole.length));
    assert.equal(reply.headers.get('accept-ranges'), 'bytes');
    assert.match(reply.headers.get('etag') ?? '', /^"[^"]+"$/);
    assert.equal(reply.headers.get('x-content-type-options'), 'nosniff');
    assert.doesNotMatch(reply.headers.get('cache-control') ?? '', /\bpublic\b/);
  });

  test('serves any range of it: from, to, from the end, a single byte, beyond the end', async () => {
    const size = whole.length;
    for (const [range, first, last] of [
      ['bytes=0-99', 0, 99],
      ['bytes=100-', 100, size - 1],
      ['bytes=-100', size - 100, size - 1],
      ['bytes=0-0', 0, 0],
      ['bytes=-1', size - 1, size - 1],
      [`bytes=${size - 1}-`, size - 1, size - 1],
      [`bytes=5-${size + 1000}`, 5, size - 1],
      [`bytes=-${size + 1000}`, 0, size - 1],
      ['bytes=0-', 0, size - 1],
    ] as const) {
      const reply = await read(job.video_url, { Range: range });
      assert.equal(reply.status, 206, range);
      assert.equal(reply.headers.get('content-range'), `bytes ${first}-${last}/${size}`, range);
      assert.equal(reply.headers.get('content-length'), String(last - first + 1), range);
      assert.equal(reply.headers.get('content-type'), 'video/mp4');
      assert.ok(reply.bytes.equals(whole.subarray(first, last + 1)), range);
    }
  });

  test('answers 416 with the size to a range outside the file, and the whole file to an invalid range', async () => {
    const size = whole.length;
    for (const range of [
      `bytes=${size}-`,
      `bytes=${size + 10}-${size + 20}`,
      'bytes=-0',
      'bytes=99999999999999999999-',
    ]) {
      const reply = await read(job.video_url, { Range: range });
      assert.equal(reply.status, 416, range);
      assert.equal(reply.headers.get('content-range'), `bytes */${size}`);
    }
    for (const range of ['bytes=', 'bytes=a-b', 'items=0-5', 'bytes=9-5', 'bytes', '0-5', 'bytes=--5']) {
      const reply = await read(job.video_url, { Range: range });
      assert.equal(reply.status, 200, range);
      assert.equal(reply.bytes.length, size, range);
    }
    const several = await read(job.video_url, { Range: 'bytes=0-1,5-6' });
    assert.ok([200, 206].includes(several.status));
  });

  test('answers HEAD like GET, without the file', async () => {
    for (const [url, type] of [
      [job.video_url, 'video/mp4'],
      [job.thumbnail_url, 'image/jpeg'],
    ] as const) {
      const [get, head] = [await read(url), await read(url, {}, 'HEAD')];
      assert.equal(head.status, 200);
      assert.equal(head.bytes.length, 0);
      assert.equal(head.headers.get('content-type'), type);
      for (const name of ['content-length', 'etag', 'accept-ranges']) {
        assert.equal(head.headers.get(name), get.headers.get(name), name);
      }
    }
  });

  test('answers 304 if the ETag matches, and the whole file if that of If-Range does not', async () => {
    for (const known of [etag, `"x", ${etag}`]) {
      const reply = await read(job.video_url, { 'If-None-Match': known });
      assert.equal(reply.status, 304);
      assert.equal(reply.bytes.length, 0);
    }
    assert.equal((await read(job.video_url, { 'If-None-Match': '"x"' })).status, 200);
    assert.equal((await read(job.video_url, { Range: 'bytes=0-9', 'If-Range': etag })).status, 206);
    const stale = await read(job.video_url, { Range: 'bytes=0-9', 'If-Range': '"x"' });
    assert.equal(stale.status, 200);
    assert.equal(stale.bytes.length, whole.length);
  });

  test('is renewed on every read of the job, and the old one stays valid', async () => {
    const again = await guest.job(job.job_id);
    assert.ok(again.video_url);
    assert.equal((await read(again.video_url)).status, 200);
    assert.equal((await read(job.video_url)).status, 200);
    const [listed] = (await guest.jobs()).jobs;
    assert.ok(listed?.video_url && listed.thumbnail_url);
    assert.equal((await read(listed.thumbnail_url)).status, 200);
  });

  test('needs no token, and ignores one that is sent', async () => {
    for (const Authorization of ['Bearer nonsense', 'Basic x']) {
      assert.equal((await read(job.video_url, { Authorization })).status, 200);
    }
  });

  test('is 403 if any part of it was changed', async () => {
    const other = await makeVideo(await newGuest(target.url));
    const [mine, theirs] = [new URL(job.video_url), new URL(other.video_url)];
    const forged: string[] = [
      `${mine.origin}${mine.pathname}`,
      `${mine.origin}${mine.pathname}?token=`,
      `${mine.origin}${mine.pathname}?token=x.y.z`,
      `${mine.origin}${theirs.pathname}${mine.search}`,
      job.thumbnail_url.replace(/\?.*/, mine.search),
      `${mine.origin}${mine.pathname.replace('.mp4', '.jpg')}${mine.search}`,
      `${mine.origin}${mine.pathname.replace('/videos/', '/thumbnails/')}${mine.search}`,
      `${mine.origin}${mine.pathname.toUpperCase().replace('/STORAGE/V1/OBJECT/SIGN/VIDEOS', '/storage/v1/object/sign/videos')}${mine.search}`,
    ];
    const token = mine.searchParams.get('token') ?? '';
    assert.ok(token.length >= 40);
    for (let at = 0; at < token.length; at += 1) {
      const letter = token[at];
      if (letter === '.' || letter === '-' || letter === '_') continue;
      const changed = letter === '1' ? '2' : letter === 'A' ? 'B' : /\d/.test(letter ?? '') ? '1' : 'A';
      forged.push(`${mine.origin}${mine.pathname}?token=${token.slice(0, at)}${changed}${token.slice(at + 1)}`);
    }
    for (const url of forged) {
      const reply = await call('', 'GET', url);
      assert.equal(reply.status, 403, url);
      assertRefused(reply, 403, 'ERR_4005');
      assert.equal((await read(url, { Range: 'bytes=0-9' })).status, 403);
      assert.equal((await read(url, {}, 'HEAD')).status, 403);
    }
  });

  test('opens no folder, no other file and no list', async () => {
    const { origin, search } = new URL(job.video_url);
    for (const path of [
      '/storage/v1/object/sign/videos/',
      `/storage/v1/object/sign/videos/${guest.userId}/`,
      '/storage/v1/object/sign/videos/../../../../etc/passwd',
      '/storage/v1/object/sign/videos/..%2f..%2f..%2fetc%2fpasswd',
      '/storage/v1/object/sign/videos/%2e%2e/%2e%2e/development-secret-key',
      '/storage/v1/object/sign/videos/a%00.mp4',
      '/storage/v1/object/sign/videos/%E0%A4%A',
      '/storage/v1/object/public/videos/',
      '/storage/v1/bucket',
    ]) {
      // A raw call, because `fetch` would resolve the dots.
      const { hostname, port } = new URL(origin);
      const reply = await rawCall(`http://${hostname}:${port}`, 'GET', { path: `${path}${search}` });
      assert.ok([400, 401, 403, 404].includes(reply.status), `${path}: ${reply.status}`);
    }
  });

  test('accepts no other method', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      const { status } = await read(job.video_url, {}, method);
      assert.ok([401, 403, 404, 405].includes(status), `${method}: ${status}`);
    }
    assert.equal((await read(job.video_url)).status, 200);
  });

  test('ends with its job: a deleted video and its thumbnail are no longer served', async () => {
    const own = await newGuest(target.url);
    const deleted = await makeVideo(own);
    expectStatus(await own.post('delete-video-job', { job_id: deleted.job_id }), 200);
    for (const url of [deleted.video_url, deleted.thumbnail_url]) {
      for (const [method, headers] of [
        ['GET', {}],
        ['HEAD', {}],
        ['GET', { Range: 'bytes=0-9' }],
        ['GET', { 'If-None-Match': '*' }],
      ] as const) {
        assert.ok([403, 404, 410].includes((await read(url, headers, method)).status), `${method} ${url}`);
      }
    }
  });
});

describe('the lifetime of a signed URL', OWN_SERVER, () => {
  test('it is a day, then 403; every read of the job gives a new URL', async () => {
    await using today = await startTestServer();
    const { port } = new URL(today.url);
    const guest = await newGuest(today.url);
    const job = await makeVideo(guest);
    await today.kill('SIGTERM');

    const later = (hours: number) =>
      startTestServer({
        env: {
          DATA_DIR: today.dataDir,
          PORT: port,
          NODE_OPTIONS: `--import=${new URL('./support/later.ts', import.meta.url)}`,
          ACCEPTANCE_AHEAD_MS: String(hours * 3_600_000),
        },
      });
    {
      await using evening = await later(23.9);
      assert.equal((await read(job.video_url)).status, 200);
      await evening.stop();
    }
    await using tomorrow = await later(24.1);
    for (const url of [job.video_url, job.thumbnail_url]) {
      const reply = await call('', 'GET', url);
      assertRefused(reply, 403, 'ERR_4005');
    }
    assertRefused(await guest.get('get-user-credits'), 401, 'ERR_4005');
    const path = '/auth/v1/token?grant_type=refresh_token';
    const renewed = await call<{ access_token: string; refresh_token: string }>(tomorrow.url, 'POST', path, {
      body: { refresh_token: guest.refreshToken },
    });
    expectStatus(renewed, 200);
    const back = asGuest(tomorrow.url, { user_id: guest.userId, ...renewed.body });
    const { video_url } = await back.job(job.job_id);
    assert.ok(video_url);
    assert.equal((await read(video_url)).status, 200);
  });
});
