/** What one account may store and upload at once, whichever door its uploads take. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { NoFreeSlot } from '../../../src/kernel/bounded-semaphore.ts';
import { createTestApp, type TestApp } from '../../support/app.ts';
import { makeImage } from '../../support/upload-images.ts';

const png = new Uint8Array(makeImage('png'));
const MEGABYTE = 1024 * 1024;

describe('one account', () => {
  let app: TestApp;
  before(async () => {
    app = await createTestApp({ env: { RATE_LIMIT_CALLS_PER_MINUTE: '150' } });
  });
  after(() => app[Symbol.asyncDispose]());

  const doorsOf = async (userId: string) => {
    const headers = { Authorization: `Bearer ${await app.tokenOf(userId)}` };
    const request = (method: string, url: string, body: BodyInit, extra: Record<string, string> = {}) =>
      app.fetch(`/storage/v1${url}`, {
        method,
        body,
        headers: { ...headers, ...extra },
        duplex: 'half',
      } as RequestInit);
    const signedUrlOf = async (name: string, isUpsert = false) => {
      const token = await app.ctx.mediaSigner.sign(`${isUpsert ? 'replace' : 'add'} user_uploads/${userId}/${name}`);
      return `/object/upload/sign/user_uploads/${userId}/${name}?token=${token}`;
    };
    return {
      upload: (name: string, body: BodyInit = png, extra = {}) =>
        request('POST', `/object/user_uploads/${userId}/${name}`, body, extra),
      signedUrlOf,
      uploadSigned: async (name: string, body: BodyInit = png) =>
        app.fetch(`/storage/v1${await signedUrlOf(name)}`, { method: 'PUT', body, duplex: 'half' } as RequestInit),
    };
  };
  /** A body that notes whether it was read, and ends when `end` is called. */
  const heldBody = () => {
    const reading = Promise.withResolvers<void>();
    const ending = Promise.withResolvers<void>();
    const state = { isRead: false };
    const body = new ReadableStream(
      {
        async pull(controller) {
          state.isRead = true;
          reading.resolve();
          await ending.promise;
          controller.enqueue(png);
          controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    return { body, state, reading: reading.promise, end: ending.resolve };
  };
  const errorOf = async (answer: Response) => {
    const { error } = (await answer.json()) as { error: { code: string; details: Record<string, unknown> } };
    return { status: answer.status, code: error.code, details: error.details };
  };

  test('uploads three images at once, through both doors together; a fourth is not read before one of them has ended', async () => {
    const doors = await doorsOf(await app.user());
    const bodies = Array.from({ length: 4 }, heldBody);
    const [first, second, third, fourth] = bodies;
    assert.ok(first && second && third && fourth);
    const running = [
      doors.upload('1.png', first.body),
      doors.upload('2.png', second.body),
      doors.uploadSigned('3.png', third.body),
    ];
    await Promise.all([first.reading, second.reading, third.reading]);
    const last = doors.uploadSigned('4.png', fourth.body);
    const other = await doorsOf(await app.user());
    assert.equal((await other.upload('1.png')).status, 200, 'another account does not wait');
    assert.equal(fourth.state.isRead, false);
    first.end();
    await fourth.reading;
    for (const { end } of bodies) end();
    for (const answer of await Promise.all([...running, last])) assert.equal(answer.status, 200);
    const brokenOff = () =>
      new ReadableStream({ pull: (controller) => controller.error(new Error('gone')) }, { highWaterMark: 0 });
    for (let count = 0; count < 4; count += 1) assert.equal((await doors.upload('cut.png', brokenOff())).status, 400);
    assert.equal((await doors.upload('5.png')).status, 200, 'uploads that broke off hold no slot');
  });

  test('gets 429 with Retry-After when a hundred of its uploads wait already', async () => {
    const doors = await doorsOf(await app.user());
    const bodies = Array.from({ length: 3 }, heldBody);
    const running = bodies.map(({ body }, index) => doors.uploadSigned(`${index}.png`, body));
    await Promise.all(bodies.map(({ reading }) => reading));
    const url = await doors.signedUrlOf('replaced.png', true);
    const put = () => app.fetch(`/storage/v1${url}`, { method: 'PUT', body: png });
    const waiting = Array.from({ length: 101 }, put);
    const refused = await Promise.race(waiting);
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '1']);
    assert.equal(refused.headers.get('ratelimit-policy'), '"uploads";q=3');
    for (const { end } of bodies) end();
    const statuses = (await Promise.all([...running, ...waiting])).map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 200).length, 103);
  });

  test('gets 503, not 429, when it is the database that has no free session for its upload', async (t) => {
    const doors = await doorsOf(await app.user());
    t.mock.method(app.ctx.db, 'call', async () => {
      throw new NoFreeSlot();
    });
    for (const answer of [await doors.upload('a.png'), await doors.uploadSigned('b.png')])
      assert.deepEqual([answer.status, (await errorOf(answer)).code], [503, 'ERR_6001']);
  });

  test('has its uploads to signed URLs counted among its calls', async () => {
    const doors = await doorsOf(await app.user());
    const url = await doors.signedUrlOf('counted.png', true);
    const put = () => app.fetch(`/storage/v1${url}`, { method: 'PUT', body: 'no image' });
    for (const length of [75, 75]) {
      const answers = await Promise.all(Array.from({ length }, put));
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([415]));
    }
    const refused = await put();
    assert.equal(refused.headers.get('ratelimit-policy'), '"calls";q=150;w=60');
    assert.deepEqual([refused.status, (await errorOf(refused)).code], [429, 'ERR_4004']);
    assert.equal((await doors.upload('own.png')).status, 429, 'the calls with its token are used up too');
  });

  test('has no byte read of an upload that cannot succeed: the name is taken, it is banned, deleted, or full', async () => {
    const cases: [what: string, sql: string | null, status: number][] = [
      ['taken', null, 409],
      ['banned', `insert into user_bans (user_id, reason) values ($1, 'test')`, 403],
      ['deleted', 'update users set deleted_at = now(), device_id = null where id = $1', 401],
      [
        'full',
        `insert into uploads (user_id, path, content_type, bytes, width, height, sha256, stored_at)
         select $1::uuid, $1::text || '/f' || n, 'image/png', 1000, 300, 300, repeat('a', 64), now() from generate_series(1, 200) n`,
        409,
      ],
    ];
    for (const [what, sql, status] of cases) {
      const user = await app.user();
      const doors = await doorsOf(user);
      assert.equal((await doors.upload('taken.png')).status, 200);
      const signedUrl = await doors.signedUrlOf(sql ? 'free.png' : 'taken.png');
      if (sql) await app.owner.query(sql, [user]);
      for (const attempt of [
        (body: BodyInit) => doors.upload(sql ? 'free.png' : 'taken.png', body),
        (body: BodyInit) =>
          app.fetch(`/storage/v1${signedUrl}`, { method: 'PUT', body, duplex: 'half' } as RequestInit),
      ]) {
        const held = heldBody();
        held.end();
        assert.equal((await attempt(held.body)).status, status, what);
        assert.equal(held.state.isRead, false, what);
      }
    }
    assert.deepEqual(await readdir(app.ctx.workDir), []);
  });

  test('stores 50 MB while it is a guest whose device is not proven, and 500 MB after that; a Content-Length is believed before the body', async () => {
    const device = randomUUID();
    const { user_id: user } = await app.ctx.db.call('onboard_device', { device_id: device });
    const doors = await doorsOf(user);
    const fill = (rows: number, bytes: number) =>
      app.owner.query(
        `insert into uploads (user_id, path, content_type, bytes, width, height, sha256, stored_at)
         select $1::uuid, $1::text || '/' || $3 || n, 'image/png', $3::integer, 300, 300, repeat('a', 64), now()
         from generate_series(1, $2::integer) n`,
        [user, rows, bytes],
      );
    await fill(4, 10 * MEGABYTE);
    await fill(1, 10 * MEGABYTE - png.length);
    assert.equal((await doors.upload('fits.png')).status, 200);
    const full = await errorOf(await doors.upload('one-more.png'));
    assert.deepEqual([full.status, full.code, full.details.reason], [409, 'ERR_4008', 'uploads_full']);
    assert.equal(full.details.bytes_max, 50 * MEGABYTE);
    assert.equal((await doors.uploadSigned('one-more.png')).status, 409);
    const held = heldBody();
    held.end();
    assert.equal((await doors.upload('long.png', held.body, { 'Content-Length': '9000' })).status, 409);
    assert.equal(held.state.isRead, false);

    await app.ctx.db.call('onboard_device', { device_id: device, is_proven: true });
    assert.equal((await doors.upload('one-more.png')).status, 200);
    await fill(45, 10 * MEGABYTE - 1);
    assert.equal((await errorOf(await doors.upload('last.png'))).details.bytes_max, 500 * MEGABYTE);
  });

  test('has a thousand URLs signed with one query, and a hundred images removed with two', async () => {
    const user = await app.user();
    await app.owner.query(
      `insert into uploads (user_id, path, content_type, bytes, width, height, sha256, stored_at)
       select $1::uuid, $1::text || '/' || n, 'image/png', 1000, 300, 300, repeat('a', 64), now() from generate_series(1, 100) n`,
      [user],
    );
    const headers = { Authorization: `Bearer ${await app.tokenOf(user)}`, 'Content-Type': 'application/json' };
    let queries = 0;
    app.ctx.db.pool.on('acquire', () => (queries += 1));
    const counted = async (method: string, url: string, body: object) => {
      queries = 0;
      const answer = await app.fetch(`/storage/v1${url}`, { method, headers, body: JSON.stringify(body) });
      assert.equal(answer.status, 200);
      // The first one reads the account.
      return { queries: queries - 1, items: (await answer.json()) as { signedURL: string | null }[] };
    };
    const paths = Array.from({ length: 1000 }, (_, index) => `${user}/${index + 1}`);
    const signed = await counted('POST', '/object/sign/user_uploads', { expiresIn: 60, paths });
    assert.equal(signed.queries, 1);
    assert.equal(signed.items.filter(({ signedURL }) => signedURL).length, 100);
    const videos = await counted('POST', '/object/sign/videos', { expiresIn: 60, paths });
    assert.equal(videos.queries, 1);
    const removed = await counted('DELETE', '/object/user_uploads', { prefixes: paths });
    assert.deepEqual([removed.items.length, removed.queries], [100, 2]);
    const { rows } = await app.owner.query('select count(*)::int as n from uploads where user_id = $1', [user]);
    assert.equal(rows[0].n, 0);
  });
});
