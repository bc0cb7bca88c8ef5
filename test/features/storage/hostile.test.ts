/** Which uploads are rejected, for which callers, and that nothing of them is stored. */
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { sweepUploads } from '../../../src/features/storage/worker/sweep.ts';
import { Problem } from '../../../src/kernel/errors.ts';
import { createTestApp, type TestApp } from '../../support/app.ts';
import { jpegWithOrientation, makeImage, pngOfBytes } from '../../support/upload-images.ts';

const { signal } = new AbortController();
const BYTES_MAX = 10_485_760;
const fixture = (name: string) => readFileSync(join(import.meta.dirname, '..', '..', 'media', 'fixtures', name));

describe('an upload', () => {
  let app: TestApp;
  let userId: string;
  let token: string;
  before(async () => {
    app = await createTestApp();
    userId = await app.user();
    token = await app.tokenOf(userId);
  });
  after(() => app[Symbol.asyncDispose]());

  const urlOf = (path: string, bucket = 'user_uploads') => `/storage/v1/object/${bucket}/${path}`;
  async function send(path: string, body: BodyInit | null, headers: Record<string, string> = {}, method = 'POST') {
    const init = { method, body, headers: { Authorization: `Bearer ${token}`, ...headers }, duplex: 'half' };
    const answer = await app.fetch(path.startsWith('/') ? path : urlOf(path), init as RequestInit);
    const text = await answer.text();
    const { error } = text.startsWith('{') ? JSON.parse(text) : { error: undefined };
    return { status: answer.status, code: error?.code, details: error?.details, headers: answer.headers, text };
  }
  const put = (bytes: Uint8Array, name = `${randomUUID()}.png`, headers = {}) =>
    send(`${userId}/${name}`, new Uint8Array(bytes), { 'x-upsert': 'true', ...headers });
  const rows = async (user = userId) =>
    (await app.owner.query('select * from uploads where user_id = $1', [user])).rows as Record<string, unknown>[];
  const files = async (user = userId) => (await app.stored()).filter((name) => name.includes(user));

  const png = makeImage('png');
  const jpeg = makeImage('jpeg');
  const webp = makeImage('webp');
  const animated = Buffer.from(webp);
  const withChunk = (name: string) => {
    const chunk = Buffer.alloc(12 + 8);
    chunk.writeUInt32BE(8);
    chunk.write(name, 4, 'latin1');
    return Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]);
  };
  const vp8x = () => {
    const chunk = Buffer.alloc(18);
    chunk.write('VP8X', 0, 'latin1');
    chunk.writeUInt32LE(10, 4);
    chunk[8] = 0x02;
    const whole = Buffer.concat([animated.subarray(0, 12), chunk, animated.subarray(12)]);
    whole.writeUInt32LE(whole.length - 8, 4);
    return whole;
  };
  const html = '<!doctype html><script>alert(document.domain)</script>';
  const rejectedContents: [string, Uint8Array, string | undefined][] = [
    ['HTML', Buffer.from(html), undefined],
    ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="300" height="300"/>'), undefined],
    ['a GIF', Buffer.from('GIF89a\x2c\x01\x2c\x01\x00\x00\x00;', 'latin1'), undefined],
    ['text', Buffer.from('hello'), undefined],
    ['HTML after a PNG’s signature', Buffer.concat([png.subarray(0, 8), Buffer.from(html)]), 'damaged'],
    ['a PNG without pixels', fixture('p08-png-no-pixels.png'), 'damaged'],
    ['HTML after a JPEG’s first bytes', Buffer.concat([jpeg.subarray(0, 4), Buffer.from(html)]), 'damaged'],
    ['an incomplete PNG', png.subarray(0, png.length - 20), 'damaged'],
    ['an incomplete JPEG', jpeg.subarray(0, jpeg.length - 20), 'damaged'],
    ['an incomplete WebP', webp.subarray(0, webp.length - 20), 'damaged'],
    ['a JPEG with headers alone', Buffer.from('ffd8ffe000104a46494600010100000100010000ffd9', 'hex'), 'damaged'],
    [
      'a JPEG with invalid lengths',
      Buffer.concat([Buffer.from('ffd8ffe0ffff', 'hex'), Buffer.alloc(500, 0xff)]),
      'damaged',
    ],
    ['an animated PNG', withChunk('acTL'), 'animated'],
    ['an animated WebP', vp8x(), 'animated'],
  ];
  for (const [what, bytes, reason] of rejectedContents) {
    test(`that is ${what} gets 415 under any name and type, and nothing of it is stored`, async () => {
      const before = [(await rows()).length, (await files()).length];
      for (const type of ['image/png', 'image/jpeg', 'text/html', undefined]) {
        const answer = await put(bytes, 'x.png', type ? { 'Content-Type': type } : {});
        assert.deepEqual([answer.status, answer.code], [415, 'ERR_4015'], answer.text);
        assert.deepEqual(answer.details.allowed, ['image/jpeg', 'image/png', 'image/webp']);
        assert.equal(answer.details.reason, reason);
      }
      assert.deepEqual([(await rows()).length, (await files()).length], before);
    });
  }

  test('of any ordinary image is accepted, and recorded with the size at which it is displayed', async () => {
    const trailing = Buffer.concat([jpeg, Buffer.from('the video of a live photo')]);
    const strangeExif = jpegWithOrientation(6, 300, 200);
    strangeExif.writeUInt16BE(0xffff, 2 + 4 + 6 + 8);
    strangeExif.writeUInt16BE(0x0111, 2 + 4 + 6 + 10);
    for (const [bytes, type, size] of [
      [makeImage('png', 64, 900), 'image/png', [64, 900]],
      [makeImage('webp', 300, 200), 'image/webp', [300, 200]],
      [trailing, 'image/jpeg', [320, 320]],
      [Buffer.concat([png, Buffer.from(html)]), 'image/png', [320, 320]],
      [Buffer.concat([webp, Buffer.from(html)]), 'image/webp', [320, 320]],
      [fixture('p01-png-zero-block.png'), 'image/png', [400, 300]],
      [fixture('p05-jpg-seven-stray-bytes.jpg'), 'image/jpeg', [512, 384]],
      [jpegWithOrientation(1, 300, 200), 'image/jpeg', [300, 200]],
      [jpegWithOrientation(6, 300, 200), 'image/jpeg', [200, 300]],
      [strangeExif, 'image/jpeg', [300, 200]],
    ] as const) {
      const name = `${randomUUID()}.html`;
      assert.equal((await put(bytes, name, { 'Content-Type': 'text/html' })).status, 200);
      const row = (await rows()).find(({ path }) => path === `${userId}/${name}`);
      assert.deepEqual([row?.content_type, [row?.width, row?.height]], [type, size]);
      const served = await app.fetch(urlOf(`${userId}/${name}`), { headers: { Authorization: `Bearer ${token}` } });
      assert.equal(served.headers.get('content-type'), type, 'never text/html');
      assert.equal(served.headers.get('x-content-type-options'), 'nosniff');
      assert.match(served.headers.get('content-security-policy') ?? '', /default-src 'none'/);
      assert.ok(Buffer.from(await served.arrayBuffer()).equals(bytes));
    }
  });

  test('that is too small, or claims too many pixels, gets 400 with the allowed range', async () => {
    const small = await put(makeImage('png', 63, 300));
    assert.deepEqual([small.status, small.code, small.details.reason], [400, 'ERR_4006', 'picture_side']);
    assert.deepEqual(small.details.allowed, { minimum: 64, maximum: 10_000 });
    for (const [width, height, reason] of [
      [20_000, 300, 'picture_side'],
      [9_999, 9_999, 'picture_pixels'],
      [0xffffffff, 0xffffffff, 'picture_side'],
    ] as const) {
      const claiming = Buffer.from(png);
      claiming.writeUInt32BE(width, 16);
      claiming.writeUInt32BE(height, 20);
      assert.equal((await put(claiming)).details.reason, reason);
    }
  });

  test('of exactly ten megabytes is accepted; one byte more gets 413 with a Content-Length, without one, and in a form', async () => {
    const user = userId;
    assert.equal((await put(pngOfBytes(BYTES_MAX), 'full.png')).status, 200);
    const over = pngOfBytes(BYTES_MAX + 1);
    const before = [(await rows()).length, (await files()).length];
    const stream = () => new Blob([new Uint8Array(over)]).stream();
    const form = new FormData();
    form.append('', new Blob([new Uint8Array(over)]), 'over.png');
    for (const [body, headers] of [
      [new Uint8Array(over), { 'Content-Length': String(over.length) }],
      [stream(), {}],
      [stream(), { 'Content-Length': '5' }],
      [form, {}],
    ] as const) {
      const answer = await send(`${user}/over.png`, body, headers);
      assert.deepEqual(
        [answer.status, answer.code, answer.details],
        [413, 'ERR_4014', { field: 'file', bytes_max: BYTES_MAX }],
      );
    }
    assert.deepEqual([(await rows()).length, (await files()).length], before);
    const exact = new FormData();
    exact.append('cacheControl', '3600');
    exact.append('', new Blob([new Uint8Array(pngOfBytes(BYTES_MAX))]), 'full.png');
    assert.equal((await send(`${user}/full-form.png`, exact)).status, 200, 'the lines of the form itself do not count');
  });

  test('of nothing, of a form without a file or without an end, or of compressed content is rejected', async () => {
    const withoutFile = new FormData();
    withoutFile.append('cacheControl', '3600');
    const multipart = { 'Content-Type': 'multipart/form-data; boundary=x' };
    for (const [body, headers, status, code, field] of [
      [null, {}, 400, 'ERR_4006'],
      ['', {}, 400, 'ERR_4006'],
      [withoutFile, {}, 400, 'ERR_4006'],
      ['--x\r\nContent-Disposition: form-data; name=""\r\n\r\nabc', multipart, 400, 'ERR_4006'],
      ['--x\r\nno end of the head', multipart, 400, 'ERR_4006'],
      ['nothing of the kind', multipart, 400, 'ERR_4006'],
      ['--x--\r\n', multipart, 400, 'ERR_4006'],
      ['abc', { 'Content-Type': 'multipart/form-data' }, 400, 'ERR_4006', 'Content-Type'],
      [new Uint8Array(png), { 'Content-Encoding': 'gzip' }, 415, 'ERR_4015', 'Content-Encoding'],
    ] as const) {
      const answer = await send(`${userId}/none.png`, body, headers);
      assert.deepEqual([answer.status, answer.code], [status, code], `${answer.text} ${String(body).slice(0, 40)}`);
      if (field) assert.equal(answer.details.field, field);
    }
  });

  test('in a form is found behind fields of any type, wherever they stand', async () => {
    const multipart = { 'Content-Type': 'multipart/form-data; boundary=b0undary' };
    const path = `${userId}/form-${randomUUID()}.jpg`;
    assert.equal((await send(path, fixture('f01-form-json-metadata-first.bin'), multipart)).status, 200);
    for (const [metadata, file] of [
      [
        'name="metadata"; filename="blob"\r\nContent-Type: application/json',
        'name="image"; filename="p.png"\r\nContent-Type: image/png',
      ],
      ['name="metadata"; filename=""\r\nContent-Type: application/vnd.api+json', 'name="image"; filename="p.png"'],
      ['name="metadata"\r\nContent-Type: text/plain', 'name="image"\r\nContent-Type: application/octet-stream'],
      ['name="cacheControl"', 'name=""'],
    ]) {
      const part = (head: string | undefined, content: Uint8Array) => [
        Buffer.from(`--b0undary\r\nContent-Disposition: form-data; ${head}\r\n\r\n`),
        content,
        Buffer.from('\r\n'),
      ];
      const [field, image] = [part(metadata, Buffer.from('{"device":"test"}')), part(file, png)];
      for (const parts of [
        [...field, ...image],
        [...image, ...field],
      ]) {
        const body = Buffer.concat([...parts, Buffer.from('--b0undary--\r\n')]);
        const answer = await send(path, body, { ...multipart, 'x-upsert': 'true' });
        assert.equal(answer.status, 200, `${metadata} ${file} ${answer.text}`);
      }
    }
  });

  test('is listed by a folder’s name of at most a thousand characters', async () => {
    const listed = (prefix: string) =>
      send('/storage/v1/object/list/user_uploads', JSON.stringify({ prefix }), { 'Content-Type': 'application/json' });
    assert.equal((await listed(`//${userId}//`)).status, 200);
    const long = await listed(`${'/'.repeat(1000)}x`);
    assert.deepEqual([long.status, long.code, long.details.field], [400, 'ERR_4006', 'prefix']);
  });

  test('may only go into the caller’s own folder, under a plain name', async () => {
    const other = await app.user();
    const full = new Uint8Array(png);
    for (const path of [
      ...[`${other}/x.png`, `x.png`, `${randomUUID()}/x.png`, `..%2f${userId}/x.png`, `${other}%2Fx.png`],
    ]) {
      assert.deepEqual([(await send(path, full)).status], [403], path);
    }
    for (const path of [
      ...[`${userId}/..%2f${other}/x.png`, `${userId}/..%2fx.png`, `${userId}/a%5cb.png`, `${userId}/a%00b.png`],
      ...[
        `${userId}/a%3Fb.png`,
        `${userId}/%C3%BC.png`,
        `${userId}//x.png`,
        `${userId}/a%252e.png`,
        `${userId}/~x.png`,
      ],
      ...[`${userId}/${'a'.repeat(201)}`, `${userId}/`, `${userId}/${'a/'.repeat(500)}b`],
    ]) {
      const answer = await send(path, full);
      assert.deepEqual([answer.status, answer.code, answer.details?.field], [400, 'ERR_4006', 'path'], path);
    }
    assert.equal((await send(urlOf(`${userId}/x.png`, 'videos'), full)).status, 403);
    assert.equal((await send(urlOf(`${userId}/x.png`, 'other'), full)).status, 404);
    assert.equal((await send(`${userId.toUpperCase()}/case.png`, full)).status, 200);
    assert.ok((await rows()).some(({ path }) => path === `${userId}/case.png`));
    assert.deepEqual(await rows(other), []);
  });

  test('of another user cannot be read, signed, described, replaced or deleted: it seems not to exist', async () => {
    assert.equal((await put(png, 'mine.png')).status, 200);
    const path = `${userId}/mine.png`;
    const asOtherUser = { Authorization: `Bearer ${await app.tokenOf(await app.user())}` };
    const json = { 'Content-Type': 'application/json' };
    const missing = `${userId}/never.png`;
    for (const [method, make, body] of [
      ['GET', (p: string) => urlOf(p), null],
      ['GET', (p: string) => `/storage/v1/object/info/user_uploads/${p}`, null],
      ['GET', (p: string) => `/storage/v1/object/authenticated/user_uploads/${p}`, null],
      ['POST', (p: string) => `/storage/v1/object/sign/user_uploads/${p}`, '{"expiresIn":60}'],
    ] as const) {
      const answer = await send(make(path), body, { ...asOtherUser, ...json }, method);
      const none = await send(make(missing), body, json, method);
      assert.deepEqual([answer.status, answer.text], [404, none.text]);
    }
    assert.equal((await send(path, new Uint8Array(png), asOtherUser, 'PUT')).status, 403);
    assert.equal((await send(path, null, asOtherUser, 'DELETE')).status, 403);
    assert.equal((await send(`/storage/v1/object/public/user_uploads/${path}`, null, {}, 'GET')).status, 404);
    assert.equal((await app.fetch(`/storage/v1/object/public/user_uploads/${path}`)).status, 401);
    assert.equal((await app.fetch(urlOf(path))).status, 401);
    assert.equal((await send(path, null, {}, 'GET')).status, 200);
  });

  test('with a signed URL needs a token for that path that has not expired; a token for reading is not accepted', async () => {
    const path = `${userId}/signed-${randomUUID()}.png`;
    const signed = await send(`/storage/v1/object/upload/sign/user_uploads/${path}`, '{}', {
      'Content-Type': 'application/json',
    });
    const { url, token: given } = JSON.parse(signed.text);
    const reading = await app.ctx.mediaSigner.sign(`user_uploads/${path}`);
    const expired = await app.ctx.mediaSigner.sign(`add user_uploads/${path}`, -1);
    const urlWith = (tokenText: string) => `/storage/v1/object/upload/sign/user_uploads/${path}?token=${tokenText}`;
    for (const wrong of ['', 'x', reading, expired, `${given.slice(0, -1)}${given.endsWith('A') ? 'B' : 'A'}`]) {
      const answer = await app.fetch(urlWith(wrong), { method: 'PUT', body: new Uint8Array(png) });
      assert.equal(answer.status, 403, wrong);
    }
    assert.equal((await app.fetch(`/storage/v1/object/sign/user_uploads/${path}?token=${given}`)).status, 403);
    assert.equal((await app.fetch(`/storage/v1${url}`, { method: 'PUT', body: new Uint8Array(png) })).status, 200);
    assert.equal((await app.fetch(`/storage/v1${url}`, { method: 'PUT', body: new Uint8Array(jpeg) })).status, 409);
    const opened = await app.fetch(`/storage/v1/object/sign/user_uploads/${path}?token=${reading}`);
    assert.equal(opened.headers.get('content-type'), 'image/png', 'the replay has replaced nothing');
  });

  test('by a banned account is rejected even with a signed URL', async () => {
    const user = await app.user();
    const path = `${user}/x.png`;
    const given = await app.ctx.mediaSigner.sign(`add user_uploads/${path}`);
    const attempt = () =>
      app.fetch(`/storage/v1/object/upload/sign/user_uploads/${path}?token=${given}`, {
        method: 'PUT',
        body: new Uint8Array(png),
      });
    await app.owner.query(`insert into user_bans (user_id, reason) values ($1, 'test')`, [user]);
    assert.equal((await attempt()).status, 403);
    assert.deepEqual([await rows(user), await files(user)], [[], []]);
  });

  test('at the same time as others to one path leaves one image: its row matches its file, and nothing else is kept', async () => {
    const user = await app.user();
    const own = { Authorization: `Bearer ${await app.tokenOf(user)}` };
    const images = Array.from({ length: 8 }, (_, index) => makeImage('png', 300 + index, 300, index * 31));
    const answers = await Promise.all(
      images.map((bytes) => send(`${user}/raced.png`, new Uint8Array(bytes), { ...own, 'x-upsert': 'true' })),
    );
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    const [row, ...more] = await rows(user);
    assert.deepEqual([more, (await files(user)).length], [[], 1], 'what was replaced is deleted, row and file');
    const read = await app.fetch(urlOf(`${user}/raced.png`), { headers: own });
    const bytes = Buffer.from(await read.arrayBuffer());
    assert.equal(row?.sha256, createHash('sha256').update(bytes).digest('hex'));
    assert.ok(images.some((image) => image.equals(bytes)));

    const first = await Promise.all(images.map((image) => send(`${user}/once.png`, new Uint8Array(image), own)));
    assert.deepEqual(first.map(({ status }) => status).sort(), [200, ...Array(7).fill(409)]);
    assert.deepEqual([(await rows(user)).length, (await files(user)).length], [2, 2]);
  });

  test('beyond two hundred images, or half a gigabyte, gets 409 uploads_full', async () => {
    const user = await app.user();
    const own = { Authorization: `Bearer ${await app.tokenOf(user)}` };
    await app.owner.query(
      `insert into uploads (user_id, path, content_type, bytes, width, height, sha256, stored_at)
       select $1::uuid, $1::text || '/' || n, 'image/png', 1000, 300, 300, repeat('a', 64), now() from generate_series(1, 200) n`,
      [user],
    );
    const full = await send(`${user}/one-more.png`, new Uint8Array(png), own);
    assert.deepEqual([full.status, full.code, full.details.reason], [409, 'ERR_4008', 'uploads_full']);
    assert.equal(
      (await send(`${user}/7`, new Uint8Array(png), { ...own, 'x-upsert': 'true' })).status,
      200,
      'it replaces one',
    );
    await app.owner.query(`delete from uploads where user_id = $1::uuid and path > $1::text || '/150'`, [user]);
    assert.equal((await send(`${user}/one-more.png`, new Uint8Array(png), own)).status, 200);
    await app.owner.query(`update uploads set bytes = 10485760 where user_id = $1`, [user]);
    assert.equal((await send(`${user}/large.png`, new Uint8Array(png), own)).details.reason, 'uploads_full');
  });

  test('that the store fails gets 503 and leaves nothing; the sweep deletes what a crash left, but not what is in use', async () => {
    const user = await app.user();
    const own = { Authorization: `Bearer ${await app.tokenOf(user)}` };
    const { putFile } = app.ctx.media;
    app.ctx.media.putFile = () => Promise.reject(new Problem('ERR_6002'));
    const failed = await send(`${user}/x.png`, new Uint8Array(png), own).finally(() => {
      app.ctx.media.putFile = putFile;
    });
    assert.deepEqual([failed.status, await rows(user), await files(user)], [503, [], []]);

    // As if the process had been killed after it stored the file and before it finished the row.
    const { call } = app.ctx.db;
    app.ctx.db.call = (name, args) =>
      name === 'finish_upload' ? Promise.reject(new Error('killed')) : call(name, args);
    await send(`${user}/lost.png`, new Uint8Array(png), own).finally(() => {
      app.ctx.db.call = call;
    });
    await send(`${user}/kept.png`, new Uint8Array(png), own);
    assert.deepEqual([(await rows(user)).length, (await files(user)).length], [2, 2]);
    await sweepUploads(app.ctx, signal);
    assert.equal((await rows(user)).length, 2, 'it may still be running');
    await app.owner.query(`update uploads set updated_at = now() - interval '2 hours' where user_id = $1`, [user]);
    assert.deepEqual(await sweepUploads(app.ctx, signal), { expired: 0, removed: 1 });
    assert.deepEqual(
      [(await rows(user)).map(({ path }) => path), (await files(user)).length],
      [[`${user}/kept.png`], 1],
    );

    await app.owner.query(`update uploads set updated_at = now() - interval '31 days' where user_id = $1`, [user]);
    const jobId = await app.generate(user);
    await app.owner.query('update video_jobs set image_url = $2 where job_id = $1', [jobId, `${user}/kept.png`]);
    assert.deepEqual(await sweepUploads(app.ctx, signal), { expired: 0, removed: 0 }, 'a generation has used it');
    await app.owner.query('update video_jobs set image_url = null where job_id = $1', [jobId]);
    assert.equal((await sweepUploads(app.ctx, signal)).expired, 1);
    assert.equal((await send(`${user}/kept.png`, null, own, 'GET')).status, 404);
    await app.owner.query(`update uploads set updated_at = now() - interval '2 hours' where user_id = $1`, [user]);
    assert.equal((await sweepUploads(app.ctx, signal)).removed, 1);
    assert.deepEqual([await rows(user), await files(user)], [[], []]);
  });

  test('a deletion of many files asks a store that is away once, and leaves the rest to the sweep', async () => {
    const user = await app.user();
    const own = { Authorization: `Bearer ${await app.tokenOf(user)}` };
    const names = ['a', 'b', 'c'].map((name) => `${user}/${name}.png`);
    for (const name of names) assert.equal((await send(name, new Uint8Array(png), own)).status, 200);
    const { remove } = app.ctx.media;
    let calls = 0;
    app.ctx.media.remove = () => {
      calls += 1;
      return Promise.reject(new Problem('ERR_6002', { cause: new Error('the store did not answer in time') }));
    };
    const json = { ...own, 'Content-Type': 'application/json' };
    const deleted = await send(
      '/storage/v1/object/user_uploads',
      JSON.stringify({ prefixes: names }),
      json,
      'DELETE',
    ).finally(() => {
      app.ctx.media.remove = remove;
    });
    assert.deepEqual([deleted.status, JSON.parse(deleted.text).length, calls], [200, 3, 1]);
    await app.owner.query(`update uploads set updated_at = now() - interval '2 hours' where user_id = $1`, [user]);
    assert.equal((await sweepUploads(app.ctx, signal)).removed, 3);
    assert.deepEqual([await rows(user), await files(user)], [[], []]);
  });
});
