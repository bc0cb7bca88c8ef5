/** The image of a generation: whose it may be, when two requests are equal, and how its provider gets it. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loadImage } from '../../../src/providers/image.ts';
import type { GenerationRequest } from '../../../src/providers/provider.ts';
import { createTestApp, type TestApp } from '../../support/app.ts';
import { createVendor } from '../../support/providers.ts';
import { jpegWithOrientation, makeImage } from '../../support/upload-images.ts';

const PUBLIC_URL = 'https://api.example.com';

describe('the image of a generation', () => {
  let app: TestApp;
  let userId: string;
  let token: string;
  let modelId: string;
  let callbackUrl: string | null;
  const seen: GenerationRequest[] = [];
  before(async () => {
    callbackUrl = PUBLIC_URL;
    const vendor = createVendor({
      folder: '/nowhere',
      submit: [
        async (request, signal) => {
          seen.push(request);
          const content = request.image?.url === null ? await loadImage(request.image, signal) : null;
          if (content && 'outcome' in content) return content;
          return { outcome: 'declined', code: 'ERR_5003', cause: 'seen' };
        },
      ],
    });
    const providers = new Map([['fal', { ...vendor.provider, name: 'fal' }]] as const);
    app = await createTestApp({ overrides: { providers, callbackUrl: () => callbackUrl } });
    userId = await app.user(1000);
    token = await app.tokenOf(userId);
    const { rows } = await app.owner.query(`select id from models where name = 'Animate'`);
    modelId = rows[0].id;
  });
  after(() => app[Symbol.asyncDispose]());

  async function call(method: string, path: string, body: BodyInit | null, headers: Record<string, string> = {}) {
    const answer = await app.fetch(path, { method, body, headers: { Authorization: `Bearer ${token}`, ...headers } });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? null : JSON.parse(text), headers: answer.headers };
  }
  async function upload(name: string, bytes: Uint8Array = makeImage('png')): Promise<string> {
    const headers = { 'x-upsert': 'true' };
    const { status } = await call(
      'POST',
      `/storage/v1/object/user_uploads/${userId}/${name}`,
      new Uint8Array(bytes),
      headers,
    );
    assert.equal(status, 200);
    return `${userId}/${name}`;
  }
  const generate = (image_url: unknown, key: string = randomUUID()) =>
    call(
      'POST',
      '/functions/v1/generate-video',
      JSON.stringify({ model_id: modelId, prompt: 'it comes to life', image_url }),
      {
        'Content-Type': 'application/json',
        'Idempotency-Key': key,
      },
    );
  async function requestOf(imageUrl: string): Promise<GenerationRequest> {
    const { status, body } = await generate(imageUrl);
    assert.equal(status, 200, JSON.stringify(body));
    await app.drain();
    const request = seen.find(({ jobId }) => jobId === body.job_id);
    assert.ok(request);
    return request;
  }

  test('may be given by its path or by any form of its URL, and all of them are the same request', async () => {
    const path = await upload('forms/cat.png');
    const key = randomUUID();
    const first = await generate(path, key);
    assert.equal(first.status, 200);
    for (const form of [
      `user_uploads/${path}`,
      `/user_uploads/${path}`,
      `/object/sign/user_uploads/${path}?token=x.y-z`,
      `/storage/v1/object/user_uploads/${path}`,
      `http://rendio.test/storage/v1/object/public/user_uploads/${path}`,
      `https://abc.supabase.co/storage/v1/object/authenticated/user_uploads/${path}`,
      `https://abc.supabase.co/functions/v1/storage/v1/object/sign/user_uploads/${path}?token=a&download=b#c`,
      `https://abc.supabase.co/storage/v1/render/image/authenticated/user_uploads/${path}?width=100`,
      `http://rendio.test/storage/v1/object/user_uploads/${userId}%2Fforms%2Fcat.png`,
      path.replace(userId, userId.toUpperCase()),
    ]) {
      const again = await generate(form, key);
      assert.deepEqual([again.status, again.body], [200, first.body], form);
      assert.equal(again.headers.get('x-idempotent-replay'), 'true', form);
    }
    const { rows } = await app.owner.query('select image_url from video_jobs where job_id = $1', [first.body.job_id]);
    assert.equal(rows[0].image_url, path);
    const other = await upload('forms/dog.png');
    assert.equal((await generate(other, key)).status, 422, 'another image is another request');
    await call('DELETE', `/storage/v1/object/user_uploads/${path}`, null);
    assert.deepEqual(
      (await generate(`user_uploads/${path}`, key)).body,
      first.body,
      'a replay does not need the image',
    );
  });

  test('must belong to the caller and exist: anything else gets the same 400, and costs nothing', async () => {
    const path = await upload('own.png');
    const otherUser = await app.user();
    const theirImage = new Uint8Array(makeImage('png'));
    const asOtherUser = { Authorization: `Bearer ${await app.tokenOf(otherUser)}` };
    const uploaded = await call(
      'POST',
      `/storage/v1/object/user_uploads/${otherUser}/own.png`,
      theirImage,
      asOtherUser,
    );
    assert.equal(uploaded.status, 200, 'it exists, for its owner');
    const before = await app.balance(userId);
    for (const imageUrl of [
      ...[
        `${userId}/none.png`,
        `${otherUser}/own.png`,
        `${userId}/../${otherUser}/own.png`,
        `${userId}/%2e%2e/own.png`,
      ],
      ...[
        'https://example.com/cat.jpg',
        'http://169.254.169.254/latest/meta-data/',
        'file:///etc/passwd',
        'data:image/png;base64,AA',
      ],
      ...[
        `videos/${path}`,
        `https://x.test/storage/v1/object/videos/${path}`,
        `https://user_uploads/${path}`,
        '',
        ' ',
        '%',
        userId,
      ],
      ...[`${userId}/~${randomUUID()}`, `https://x.test/?x=/object/user_uploads/${path}`],
    ]) {
      const { status, body } = await generate(imageUrl);
      assert.deepEqual(
        [status, body.error.code, body.error.details.field, body.error.details.reason],
        [400, 'ERR_4006', 'image_url', 'picture_unknown'],
        imageUrl,
      );
    }
    const missing = await generate(undefined);
    assert.deepEqual([missing.status, missing.body.error.details.reason], [400, 'missing']);
    assert.equal(await app.balance(userId), before);
  });

  test('needs at least 256 pixels on its shorter side, and at most 2.4 times as many on the longer', async () => {
    for (const [name, bytes, reason] of [
      ['small.png', makeImage('png', 255, 400), 'picture_small'],
      ['long.png', makeImage('png', 256, 615), 'picture_shape'],
      ['wide.jpg', makeImage('jpeg', 2500, 1000), 'picture_shape'],
    ] as const) {
      const { status, body } = await generate(await upload(name, bytes));
      assert.deepEqual([status, body.error.details.reason], [400, reason], name);
      assert.ok(body.error.details.allowed);
      assert.match(body.error.message, /^This image is too/);
    }
    for (const bytes of [makeImage('png', 256, 614), makeImage('webp', 614, 256), jpegWithOrientation(8, 600, 400)]) {
      assert.equal((await generate(await upload('fits.png', bytes))).status, 200);
    }
  });

  test('is given to its provider as a signed URL that needs no access token and expires with the deadline', async () => {
    const bytes = makeImage('jpeg', 400, 300);
    const path = await upload('given', bytes);
    const { image } = await requestOf(path);
    assert.ok(image?.url);
    assert.ok(image.url.startsWith(`${PUBLIC_URL}/storage/v1/object/sign/user_uploads/${path}?token=`), image.url);
    assert.deepEqual([image.contentType, image.fileName], ['image/jpeg', 'given']);
    const local = image.url.slice(PUBLIC_URL.length);
    const opened = await app.fetch(local);
    assert.deepEqual([opened.status, opened.headers.get('content-type')], [200, 'image/jpeg']);
    assert.ok(Buffer.from(await opened.arrayBuffer()).equals(bytes));
    assert.equal((await app.fetch(local, { method: 'HEAD' })).headers.get('content-length'), String(bytes.length));
    assert.equal((await app.fetch(local.replace('given', 'other'))).status, 403, 'valid for this file alone');
    assert.equal((await app.fetch(local.slice(0, local.indexOf('?')))).status, 403);

    const expiresAt = Number(/token=(\d+)\./.exec(local)?.[1]) * 1000;
    const leftMs = expiresAt - Date.now();
    assert.ok(leftMs > 1_800_000 - 60_000 && leftMs < 1_800_000 + 120_000, String(leftMs));
    const { now } = app.ctx.clock;
    app.ctx.clock.now = () => new Date(expiresAt + 1000);
    const late = await app.fetch(local);
    app.ctx.clock.now = now;
    assert.deepEqual([late.status, (await late.json()).error.details.reason], [403, 'link_expired']);
  });

  test('that its provider could not read fails its job, which says so in the user’s language', async () => {
    const { status, body } = await generate(await upload('unread.png'));
    assert.equal(status, 200);
    const failure = { job_id: body.job_id, error_code: 'ERR_5003', cause: '', reason: 'image_unreadable' };
    assert.equal(await app.ctx.db.call('fail_generation', failure), true);
    const path = `/functions/v1/get-video-status?job_id=${body.job_id}`;
    for (const [language, words] of [
      ['en', /^The video service could not read the image/],
      ['tr', /^Video servisi bu videonun görselini okuyamadı/],
      ['es', /^El servicio de vídeo no ha podido leer la imagen/],
    ] as const) {
      assert.match((await call('GET', path, null, { 'Accept-Language': language })).body.error_message, words);
    }
  });

  test('is loaded and passed as bytes where the provider cannot reach this server', async () => {
    callbackUrl = null;
    const bytes = makeImage('webp', 400, 300);
    const { image } = await requestOf(await upload('private.webp', bytes)).finally(() => {
      callbackUrl = PUBLIC_URL;
    });
    assert.ok(image);
    assert.equal(image.url, null);
    assert.ok(Buffer.from(await image.load(AbortSignal.timeout(5000))).equals(bytes));
  });

  test('that is deleted or replaced before it is loaded fails its job, which says so; the provider never gets another image', async () => {
    const path = await upload('deleted.png');
    const { status, body } = await generate(path);
    assert.equal(status, 200);
    await call('DELETE', `/storage/v1/object/user_uploads/${path}`, null);
    await app.drain();
    const request = seen.find(({ jobId }) => jobId === body.job_id);
    assert.equal(request?.image?.url, null);
    await assert.rejects(async () => request?.image?.load(AbortSignal.timeout(5000)), /no longer there/);
    const { error_code, error_reason } = await app.job(body.job_id);
    assert.deepEqual([error_code, error_reason], ['ERR_5003', 'image_gone']);
    const statusPath = `/functions/v1/get-video-status?job_id=${body.job_id}`;
    for (const [language, words] of [
      ['en', /^The image of this video was deleted or replaced/],
      ['tr', /^Bu videonun görseli, video servisine ulaşmadan silindi/],
      ['es', /^La imagen de este vídeo se borró/],
    ] as const) {
      assert.match((await call('GET', statusPath, null, { 'Accept-Language': language })).body.error_message, words);
    }

    const { image } = await requestOf(await upload('replaced.png', makeImage('png', 300, 300, 1)));
    await upload('replaced.png', makeImage('png', 300, 300, 2));
    await assert.rejects(async () => image?.load(AbortSignal.timeout(5000)), /no longer there/);
  });

  test('that the server has not checked is unknown, wherever its file came from', async () => {
    const file = join(app.dataDir, 'source');
    await writeFile(file, makeImage('png', 500, 400));
    await app.ctx.media.putFile(`user_uploads/${userId}/unchecked.png`, file);
    assert.equal((await generate(`${userId}/unchecked.png`)).body.error.details.reason, 'picture_unknown');
    const reading = await app.ctx.mediaSigner.sign(`user_uploads/${userId}/unchecked.png`);
    const opened = await app.fetch(`/storage/v1/object/sign/user_uploads/${userId}/unchecked.png?token=${reading}`);
    assert.equal(opened.status, 404);
  });

  test('may have any name that Supabase takes, in every form and encoding of its URL', async () => {
    const name = "a b(1)+@,=&$!;*':c.png";
    const stored = await call('POST', `/storage/v1/object/user_uploads/${userId}/${encodeURIComponent(name)}`, png());
    assert.equal(stored.status, 200);
    const path = `${userId}/${name}`;
    const key = randomUUID();
    const first = await generate(path, key);
    assert.equal(first.status, 200, JSON.stringify(first.body));
    const encoded = `${userId}/${encodeURIComponent(name)}`;
    for (const form of [
      encoded,
      encodeURI(path),
      `user_uploads/${path}`,
      `/storage/v1/object/user_uploads/${path}`,
      `/object/sign/user_uploads/${encoded}?token=x`,
      `https://x.test/storage/v1/object/sign/user_uploads/${encodeURI(encoded)}?token=x`,
      `https://x.test/storage/v1/object/public/user_uploads/${encodeURI(path)}`,
      `https://x.test/storage/v1/object/info/authenticated/user_uploads/${encodeURI(path)}`,
      `https://x.test/storage/v1/object/upload/sign/user_uploads/${encodeURI(path)}?token=x`,
      `https://x.test/storage/v1/object/user_uploads/${encodeURIComponent(path)}`,
    ]) {
      const again = await generate(form, key);
      assert.deepEqual([again.status, again.body], [200, first.body], form);
    }
    await app.drain();
    const { image } = seen.find(({ jobId }) => jobId === first.body.job_id) ?? {};
    const url = image?.url ?? '';
    assert.ok(url.startsWith(PUBLIC_URL) && !url.includes(' '), 'a vendor gets an escaped URL');
    assert.equal((await app.fetch(url.slice(PUBLIC_URL.length))).status, 200);
  });
});

function png(): BodyInit {
  return new Uint8Array(makeImage('png'));
}
