/** Supabase's unmodified storage client against our routes, with a real database and a real store. */
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { StorageClient } from '@supabase/storage-js';
import { createTestApp, type TestApp } from '../../support/app.ts';
import { makeImage } from '../../support/upload-images.ts';

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

  test('uploads bytes, a blob, a form and a stream, and downloads the same bytes with their real type', async () => {
    const form = new FormData();
    form.append('image', new Blob([new Uint8Array(makeImage('png', 320, 320, 3))]), 'me.png');
    const stream = new Blob([new Uint8Array(makeImage('webp'))]).stream();
    const bodies = [
      [makeImage('jpeg'), 'image/jpeg', makeImage('jpeg')],
      [new Blob([new Uint8Array(makeImage('png'))], { type: 'image/png' }), 'image/png', makeImage('png')],
      [form, 'image/png', makeImage('png', 320, 320, 3)],
      [stream, 'image/webp', makeImage('webp')],
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

  test('replaces an existing file only by upsert or by update', async () => {
    const path = `${userId}/replace.png`;
    const [first, second, third] = [1, 2, 3].map((shade) => makeImage('png', 300, 300, shade * 40));
    assert.ok(first && second && third);
    ok(await bucket().upload(path, first));
    const conflict = await bucket().upload(path, second);
    assert.deepEqual(
      [
        conflict.error?.message,
        Reflect.get(conflict.error ?? {}, 'statusCode'),
        Reflect.get(conflict.error ?? {}, 'code'),
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
    assert.equal(files.length, rows[0].n, 'the replaced files are deleted from the disk');
  });

  test('signs one or many URLs, also for downloads, which need no token and start with the client’s base URL', async () => {
    const path = `${userId}/signed.jpg`;
    const image = makeImage('jpeg', 400, 300);
    ok(await bucket().upload(path, image));
    const { signedUrl } = ok(await bucket().createSignedUrl(path, 60, { download: 'mine.jpg' }));
    const answer = await app.fetch(signedUrl);
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get('content-disposition') ?? '', /^attachment; filename="mine\.jpg"/);
    assert.ok(Buffer.from(await answer.arrayBuffer()).equals(image));
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

  test('a signed upload URL accepts one image from any client, and another only with upsert', async () => {
    const path = `${userId}/signed-upload.png`;
    const withoutToken = new StorageClient('http://rendio.test/storage/v1', {}, (input, init) =>
      app.fetch(String(input), init),
    );
    const { token, signedUrl } = ok(await bucket().createSignedUploadUrl(path));
    assert.ok(signedUrl.includes(token));
    const image = new Blob([new Uint8Array(makeImage('png'))]);
    const stored = ok(await withoutToken.from('user_uploads').uploadToSignedUrl(path, token, image));
    assert.equal(stored.fullPath, `user_uploads/${path}`);
    const again = await withoutToken.from('user_uploads').uploadToSignedUrl(path, token, image, { upsert: true });
    assert.equal(Reflect.get(again.error ?? {}, 'statusCode'), '409', 'a second upload replaces nothing');
    const elsewhere = await withoutToken.from('user_uploads').uploadToSignedUrl(`${userId}/other.png`, token, image);
    assert.equal(Reflect.get(elsewhere.error ?? {}, 'statusCode'), '403');
    assert.equal((await bucket().createSignedUploadUrl(path)).error?.message, 'A file with this name already exists.');
    const replacing = ok(await bucket().createSignedUploadUrl(path, { upsert: true }));
    ok(await withoutToken.from('user_uploads').uploadToSignedUrl(path, replacing.token, makeImage('webp')));
    assert.equal(ok(await bucket().download(path)).type, 'image/webp');
  });

  test('lists one level of the caller’s own folder; remove returns what existed; neither shows another user’s files', async () => {
    const ownId = await app.user();
    const [own, other] = [(await clientOf(ownId)).from('user_uploads'), bucket()];
    for (const name of ['b.png', 'a.png', 'sub/c.png']) ok(await own.upload(`${ownId}/${name}`, makeImage('png')));
    const listed = ok(await own.list(ownId));
    assert.deepEqual(
      listed.map(({ name, id }) => [name, id !== null]),
      [
        ['a.png', true],
        ['b.png', true],
        ['sub', false],
      ],
    );
    assert.equal(listed[0]?.metadata?.mimetype, 'image/png');
    assert.equal(listed[0]?.metadata?.size, makeImage('png').length);
    const page = ok(await own.list(ownId, { limit: 1, offset: 1, sortBy: { column: 'name', order: 'desc' } }));
    assert.deepEqual(
      page.map(({ name }) => name),
      ['b.png'],
    );
    assert.deepEqual(
      ok(await own.list(ownId, { search: 'B.P' })).map(({ name }) => name),
      ['b.png'],
    );
    assert.deepEqual(
      ok(await own.list()).map(({ name }) => name),
      [ownId],
    );
    assert.deepEqual(ok(await other.list(ownId)), []);

    assert.deepEqual(ok(await other.remove([`${ownId}/a.png`])), []);
    const removed = ok(await own.remove([`${ownId}/a.png`, `${ownId}/sub/c.png`, `${ownId}/none.png`, 'x', '../x']));
    assert.deepEqual(
      removed.map(({ name }) => name),
      [`${ownId}/a.png`, `${ownId}/sub/c.png`],
    );
    assert.deepEqual(
      ok(await own.list(ownId)).map(({ name }) => name),
      ['b.png'],
    );
    assert.equal((await own.download(`${ownId}/a.png`)).data, null);
    assert.equal(await own.exists(`${ownId}/a.png`).then(({ data }) => data), false);
  });

  test('uses any name that Supabase takes for everything, and signs for a year', async () => {
    const image = makeImage('png');
    const names = [..." ()+@,=&$!;*':"].map((character) => `a${character}b.png`);
    for (const name of names) ok(await bucket().upload(`${userId}/odd (1)/${name}`, image));
    const listed = ok(await bucket().list(`${userId}/odd (1)`)).map(({ name }) => name);
    assert.deepEqual(listed.sort(), names.sort());
    const paths = names.map((name) => `${userId}/odd (1)/${name}`);
    for (const path of paths) {
      assert.equal(ok(await bucket().info(path)).name, path);
      assert.equal(ok(await bucket().download(path)).type, 'image/png');
      const { signedUrl } = ok(await bucket().createSignedUrl(path, 31_536_000, { download: true }));
      const opened = await app.fetch(signedUrl);
      assert.deepEqual(
        [opened.status, await opened.arrayBuffer().then((all) => all.byteLength)],
        [200, image.length],
        path,
      );
    }
    for (const { signedUrl } of ok(await bucket().createSignedUrls(paths, 60))) {
      assert.equal((await app.fetch(signedUrl ?? '')).status, 200, signedUrl ?? '');
    }
    const { token } = ok(await bucket().createSignedUploadUrl(`${userId}/to + sign;.png`));
    ok(await bucket().uploadToSignedUrl(`${userId}/to + sign;.png`, token, image));
    assert.equal(ok(await bucket().remove([...paths, `${userId}/to + sign;.png`])).length, names.length + 1);
    const tooLong = await bucket().createSignedUrl(`${userId}/any.png`, 31_536_001);
    assert.equal(Reflect.get(tooLong.error ?? {}, 'statusCode'), '400');
  });

  test('keeps the metadata that it sends with bytes, a blob, or a form, and returns it until the file is replaced', async () => {
    const metadata = { camera: 'Pixel 9', 'taken at': 'İzmir', tags: ['cat', 1] };
    const image = makeImage('png');
    const form = new FormData();
    form.append('image', new Blob([new Uint8Array(image)]), 'me.png');
    const path = `${userId}/described.png`;
    for (const body of [image, new Blob([new Uint8Array(image)], { type: 'image/png' }), form]) {
      ok(await bucket().upload(path, body, { metadata, upsert: true }));
      assert.deepEqual(ok(await bucket().info(path)).metadata, metadata);
      ok(await bucket().upload(path, image, { upsert: true }));
      assert.deepEqual(ok(await bucket().info(path)).metadata, {});
    }
    const large = await bucket().upload(path, form, { metadata: { text: 'x'.repeat(10_000) }, upsert: true });
    assert.equal(Reflect.get(large.error ?? {}, 'statusCode'), '400');
  });

  test('understands our errors: a status, a code and a message', async () => {
    const path = `${userId}/bad.png`;
    const errorOf = async (work: Promise<{ error: unknown }>) => {
      const { error } = await work;
      assert.ok(error instanceof Error);
      return [Reflect.get(error, 'statusCode'), Reflect.get(error, 'code'), error.message];
    };
    const html = Buffer.from('<!doctype html><script>alert(1)</script>');
    assert.deepEqual(await errorOf(bucket().upload(path, html, { contentType: 'image/png' })), [
      '415',
      'InvalidMimeType',
      'This kind of content is not supported. Please send image/jpeg, image/png, or image/webp.',
    ]);
    assert.deepEqual((await errorOf(bucket().upload(path, Buffer.alloc(10_485_761), {}))).slice(0, 2), [
      '413',
      'EntityTooLarge',
    ]);
    assert.deepEqual((await errorOf(bucket().download(path))).slice(0, 1), ['404']);
    assert.deepEqual((await errorOf(storage.from('nothing').list(userId))).slice(0, 2), ['404', 'NoSuchKey']);
    const foreign = bucket().upload(`${randomUUID()}/x.png`, makeImage('png'));
    assert.deepEqual((await errorOf(foreign)).slice(0, 2), ['403', 'AccessDenied']);
    const withoutToken = new StorageClient('http://rendio.test/storage/v1', {}, (input, init) =>
      app.fetch(String(input), init),
    );
    assert.deepEqual((await errorOf(withoutToken.from('user_uploads').list(userId))).slice(0, 2), [
      '401',
      'InvalidJWT',
    ]);
  });

  test('a row has the real properties of its file', async () => {
    const path = `${userId}/properties.jpg`;
    const image = makeImage('jpeg', 640, 360);
    ok(await bucket().upload(path, image, { contentType: 'text/html' }));
    const { rows } = await app.owner.query('select * from uploads where path = $1', [path]);
    const sha256 = createHash('sha256').update(image).digest('hex');
    assert.deepEqual(
      [rows[0].content_type, rows[0].width, rows[0].height, rows[0].bytes, rows[0].sha256],
      ['image/jpeg', 640, 360, image.length, sha256],
    );
    const file = join(app.dataDir, 'media', 'user_uploads', userId, `${rows[0].id}.jpg`);
    assert.ok((await readFile(file)).equals(image), 'unchanged, with its EXIF data');
  });

  test('a completed video and its thumbnail can be read by their owner in the same way, and written by no client', async () => {
    const owner = await app.user();
    const jobId = await app.generate(owner);
    await app.drain();
    const { video_url: path, thumbnail_url: thumbnail } = await app.job(jobId);
    assert.ok(path && thumbnail);
    const own = await clientOf(owner);
    assert.equal((await bytesOf(ok(await own.from('videos').download(path)))).toString(), `the video of ${jobId}`);
    assert.equal(ok(await own.from('thumbnails').download(thumbnail)).type, 'image/jpeg');
    const { signedUrl } = ok(await own.from('videos').createSignedUrl(path, 60));
    assert.equal((await app.fetch(signedUrl)).status, 200);
    const folder = path.slice(0, path.lastIndexOf('/'));
    assert.deepEqual(
      ok(await own.from('videos').list(folder)).map(({ name, id }) => [name, id]),
      [[`${jobId}.mp4`, jobId]],
    );
    for (const attempt of [
      own.from('videos').upload(`${owner}/x.mp4`, makeImage('png')),
      own.from('videos').remove([path]),
      own.from('thumbnails').createSignedUploadUrl(thumbnail),
    ]) {
      assert.equal(Reflect.get((await attempt).error ?? {}, 'statusCode'), '403');
    }
    assert.equal((await bucketOf(storage, 'videos').download(path)).data, null, 'not by another user');
    await app.ctx.db.call('delete_generation', { user_id: owner, job_id: jobId });
    assert.equal((await own.from('videos').download(path)).data, null, 'not after its job is deleted');
  });
});

const bucketOf = (storage: StorageClient, name: string) => storage.from(name);
