/** The unmodified storage client of Supabase against our routes, over a real database and a real store. */
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { StorageClient } from '@supabase/storage-js';
import { createTestApp, type TestApp } from '../../support/app.ts';
import { makePicture } from '../../support/upload-images.ts';

describe('Supabase’s own storage client', () => {
  let app: TestApp;
  let userId: string;
  let storage: StorageClient;
  const clientOf = async (user: string) => {
    const headers = { Authorization: `Bearer ${await app.tokenOf(user)}`, apikey: 'anon' };
    const inside: typeof fetch = (input, init) => app.fetch(String(input), init);
    return new StorageClient('http://rendio.test/storage/v1', headers, inside);
  };
  before(async () => {
    app = await createTestApp();
    userId = await app.user();
    storage = await clientOf(userId);
  });
  after(() => app[Symbol.asyncDispose]());
  const bucket = () => storage.from('user_uploads');
  const ok = <Data>({ data, error }: { data: Data | null; error: Error | null }): Data => {
    assert.equal(error, null);
    assert.ok(data !== null);
    return data;
  };
  const bytesOf = async (blob: Blob) => Buffer.from(await blob.arrayBuffer());

  test('uploads bytes, a blob, a form and a stream, and downloads the same bytes with their true type', async () => {
    const form = new FormData();
    form.append('picture', new Blob([new Uint8Array(makePicture('png', 320, 320, 3))]), 'me.png');
    const stream = new Blob([new Uint8Array(makePicture('webp'))]).stream();
    const bodies = [
      [makePicture('jpeg'), 'image/jpeg', makePicture('jpeg')],
      [new Blob([new Uint8Array(makePicture('png'))], { type: 'image/png' }), 'image/png', makePicture('png')],
      [form, 'image/png', makePicture('png', 320, 320, 3)],
      [stream, 'image/webp', makePicture('webp')],
    ] as const;
    for (const [body, type, wanted] of bodies) {
      const path = `${userId}/a/${randomUUID()}`;
      const stored = ok(await bucket().upload(path, body));
      assert.deepEqual([stored.path, stored.fullPath], [path, `user_uploads/${path}`]);
      assert.match(stored.id, /^[0-9a-f-]{36}$/);
      const blob = ok(await bucket().download(path));
      assert.equal(blob.type, type);
      assert.ok((await bytesOf(blob)).equals(wanted), type);
      assert.equal(ok(await bucket().exists(path)), true);
      const info = ok(await bucket().info(path));
      assert.deepEqual([info.size, info.contentType, info.name], [wanted.length, type, path]);
    }
  });

  test('what is there stays unless it is to be replaced, by upsert or by update', async () => {
    const path = `${userId}/replace.png`;
    const [first, second, third] = [1, 2, 3].map((shade) => makePicture('png', 300, 300, shade * 40));
    assert.ok(first && second && third);
    ok(await bucket().upload(path, first));
    const refused = await bucket().upload(path, second);
    assert.deepEqual(
      [
        refused.error?.message,
        Reflect.get(refused.error ?? {}, 'statusCode'),
        Reflect.get(refused.error ?? {}, 'code'),
      ],
      ['A file with this name already exists.', '409', 'KeyAlreadyExists'],
    );
    assert.ok((await bytesOf(ok(await bucket().download(path)))).equals(first));
    ok(await bucket().upload(path, second, { upsert: true }));
    assert.ok((await bytesOf(ok(await bucket().download(path)))).equals(second));
    ok(await bucket().update(path, third));
    assert.ok((await bytesOf(ok(await bucket().download(path)))).equals(third));
    const files = (await app.stored()).filter((name) => name.includes(userId));
    const { rows } = await app.owner.query('select count(*)::int as n from uploads where user_id = $1', [userId]);
    assert.equal(files.length, rows[0].n, 'the replaced ones are gone from the disk');
  });

  test('signed addresses are read by anybody, one or many, as a download too, and lead back to the client’s own base', async () => {
    const path = `${userId}/signed.jpg`;
    const picture = makePicture('jpeg', 400, 300);
    ok(await bucket().upload(path, picture));
    const { signedUrl } = ok(await bucket().createSignedUrl(path, 60, { download: 'mine.jpg' }));
    const answer = await app.fetch(signedUrl);
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get('content-disposition') ?? '', /^attachment; filename="mine\.jpg"/);
    assert.ok(Buffer.from(await answer.arrayBuffer()).equals(picture));
    const many = ok(await bucket().createSignedUrls([path, `${userId}/none.jpg`, `${randomUUID()}/x.jpg`], 60));
    assert.deepEqual(
      many.map(({ signedUrl: url, error }) => [url !== null, error !== null]),
      [
        [true, false],
        [false, true],
        [false, true],
      ],
    );
    assert.equal((await app.fetch(many[0]?.signedUrl ?? '')).status, 200);
    const missing = await bucket().createSignedUrl(`${userId}/none.jpg`, 60);
    assert.equal(Reflect.get(missing.error ?? {}, 'statusCode'), '404');
  });

  test('a signed upload address takes one picture from whoever has it, and another only where it may replace', async () => {
    const path = `${userId}/handed-on.png`;
    const nobody = new StorageClient('http://rendio.test/storage/v1', {}, (input, init) =>
      app.fetch(String(input), init),
    );
    const { token, signedUrl } = ok(await bucket().createSignedUploadUrl(path));
    assert.ok(signedUrl.includes(token));
    const picture = new Blob([new Uint8Array(makePicture('png'))]);
    const stored = ok(await nobody.from('user_uploads').uploadToSignedUrl(path, token, picture));
    assert.equal(stored.fullPath, `user_uploads/${path}`);
    const again = await nobody.from('user_uploads').uploadToSignedUrl(path, token, picture, { upsert: true });
    assert.equal(Reflect.get(again.error ?? {}, 'statusCode'), '409', 'a replay replaces nothing');
    const elsewhere = await nobody.from('user_uploads').uploadToSignedUrl(`${userId}/other.png`, token, picture);
    assert.equal(Reflect.get(elsewhere.error ?? {}, 'statusCode'), '403');
    assert.equal((await bucket().createSignedUploadUrl(path)).error?.message, 'A file with this name already exists.');
    const replacing = ok(await bucket().createSignedUploadUrl(path, { upsert: true }));
    ok(await nobody.from('user_uploads').uploadToSignedUrl(path, replacing.token, makePicture('webp')));
    assert.equal(ok(await bucket().download(path)).type, 'image/webp');
  });

  test('list shows one level of one’s own folder; remove tells what was there; neither shows anybody else’s', async () => {
    const mine = await app.user();
    const [own, other] = [(await clientOf(mine)).from('user_uploads'), bucket()];
    for (const name of ['b.png', 'a.png', 'sub/c.png']) ok(await own.upload(`${mine}/${name}`, makePicture('png')));
    const listed = ok(await own.list(mine));
    assert.deepEqual(
      listed.map(({ name, id }) => [name, id !== null]),
      [
        ['a.png', true],
        ['b.png', true],
        ['sub', false],
      ],
    );
    assert.equal(listed[0]?.metadata?.mimetype, 'image/png');
    assert.equal(listed[0]?.metadata?.size, makePicture('png').length);
    const page = ok(await own.list(mine, { limit: 1, offset: 1, sortBy: { column: 'name', order: 'desc' } }));
    assert.deepEqual(
      page.map(({ name }) => name),
      ['b.png'],
    );
    assert.deepEqual(
      ok(await own.list(mine, { search: 'B.P' })).map(({ name }) => name),
      ['b.png'],
    );
    assert.deepEqual(
      ok(await own.list()).map(({ name }) => name),
      [mine],
    );
    assert.deepEqual(ok(await other.list(mine)), []);

    assert.deepEqual(ok(await other.remove([`${mine}/a.png`])), []);
    const removed = ok(await own.remove([`${mine}/a.png`, `${mine}/sub/c.png`, `${mine}/none.png`, 'x', '../x']));
    assert.deepEqual(
      removed.map(({ name }) => name),
      [`${mine}/a.png`, `${mine}/sub/c.png`],
    );
    assert.deepEqual(
      ok(await own.list(mine)).map(({ name }) => name),
      ['b.png'],
    );
    assert.equal((await own.download(`${mine}/a.png`)).data, null);
    assert.equal(await own.exists(`${mine}/a.png`).then(({ data }) => data), false);
  });

  test('its errors are read as it reads them: a status, a code and a sentence', async () => {
    const path = `${userId}/bad.png`;
    const told = async (work: Promise<{ error: unknown }>) => {
      const { error } = await work;
      assert.ok(error instanceof Error);
      return [Reflect.get(error, 'statusCode'), Reflect.get(error, 'code'), error.message];
    };
    const html = Buffer.from('<!doctype html><script>alert(1)</script>');
    assert.deepEqual(await told(bucket().upload(path, html, { contentType: 'image/png' })), [
      '415',
      'InvalidMimeType',
      'This kind of content is not supported. Please send image/jpeg, image/png, or image/webp.',
    ]);
    assert.deepEqual((await told(bucket().upload(path, Buffer.alloc(10_485_761), {}))).slice(0, 2), [
      '413',
      'EntityTooLarge',
    ]);
    assert.deepEqual((await told(bucket().download(path))).slice(0, 1), ['404']);
    assert.deepEqual((await told(storage.from('nothing').list(userId))).slice(0, 2), ['404', 'NoSuchKey']);
    const foreign = bucket().upload(`${randomUUID()}/x.png`, makePicture('png'));
    assert.deepEqual((await told(foreign)).slice(0, 2), ['403', 'AccessDenied']);
    const nobody = new StorageClient('http://rendio.test/storage/v1', {}, (input, init) =>
      app.fetch(String(input), init),
    );
    assert.deepEqual((await told(nobody.from('user_uploads').list(userId))).slice(0, 2), ['401', 'InvalidJWT']);
  });

  test('a row says of its file what is true of it', async () => {
    const path = `${userId}/truth.jpg`;
    const picture = makePicture('jpeg', 640, 360);
    ok(await bucket().upload(path, picture, { contentType: 'text/html' }));
    const { rows } = await app.owner.query('select * from uploads where path = $1', [path]);
    const sha256 = createHash('sha256').update(picture).digest('hex');
    assert.deepEqual(
      [rows[0].content_type, rows[0].width, rows[0].height, rows[0].bytes, rows[0].sha256],
      ['image/jpeg', 640, 360, picture.length, sha256],
    );
    const file = join(app.dataDir, 'media', 'user_uploads', userId, `${rows[0].id}.jpg`);
    assert.ok((await readFile(file)).equals(picture), 'EXIF and all');
  });

  test('a finished video and its picture are read by their owner the same way, and written by nobody', async () => {
    const owner = await app.user();
    const jobId = await app.generate(owner);
    await app.drain();
    const { video_url: path, thumbnail_url: picture } = await app.job(jobId);
    assert.ok(path && picture);
    const own = await clientOf(owner);
    assert.equal((await bytesOf(ok(await own.from('videos').download(path)))).toString(), `the video of ${jobId}`);
    assert.equal(ok(await own.from('thumbnails').download(picture)).type, 'image/jpeg');
    const { signedUrl } = ok(await own.from('videos').createSignedUrl(path, 60));
    assert.equal((await app.fetch(signedUrl)).status, 200);
    const folder = path.slice(0, path.lastIndexOf('/'));
    assert.deepEqual(
      ok(await own.from('videos').list(folder)).map(({ name, id }) => [name, id]),
      [[`${jobId}.mp4`, jobId]],
    );
    for (const attempt of [
      own.from('videos').upload(`${owner}/x.mp4`, makePicture('png')),
      own.from('videos').remove([path]),
      own.from('thumbnails').createSignedUploadUrl(picture),
    ]) {
      assert.equal(Reflect.get((await attempt).error ?? {}, 'statusCode'), '403');
    }
    assert.equal((await bucketOf(storage, 'videos').download(path)).data, null, 'not by somebody else');
    await app.ctx.db.call('delete_generation', { user_id: owner, job_id: jobId });
    assert.equal((await own.from('videos').download(path)).data, null, 'nor once its job is deleted');
  });
});

const bucketOf = (storage: StorageClient, name: string) => storage.from(name);
