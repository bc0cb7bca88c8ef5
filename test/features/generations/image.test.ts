/** The picture of a generation: whose it may be, what makes it the same wish, and how its provider gets it. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { GenerationRequest } from '../../../src/providers/provider.ts';
import { createTestApp, type TestApp } from '../../support/app.ts';
import { createVendor } from '../../support/providers.ts';
import { jpegTurned, makePicture } from '../../support/upload-images.ts';

const HERE = 'https://api.example.com';

describe('the picture of a generation', () => {
  let app: TestApp;
  let userId: string;
  let token: string;
  let animate: string;
  let address: string | null;
  const seen: GenerationRequest[] = [];
  before(async () => {
    address = HERE;
    const vendor = createVendor({
      folder: '/nowhere',
      submit: [
        async (request) => {
          seen.push(request);
          return { outcome: 'declined', code: 'ERR_5003', cause: 'seen' };
        },
      ],
    });
    const providers = new Map([['fal', { ...vendor.provider, name: 'fal' }]] as const);
    app = await createTestApp({ overrides: { providers, callbackUrl: () => address } });
    userId = await app.user(1000);
    token = await app.tokenOf(userId);
    const { rows } = await app.owner.query(`select id from models where name = 'Animate'`);
    animate = rows[0].id;
  });
  after(() => app[Symbol.asyncDispose]());

  async function call(method: string, path: string, body: BodyInit | null, headers: Record<string, string> = {}) {
    const answer = await app.fetch(path, { method, body, headers: { Authorization: `Bearer ${token}`, ...headers } });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? null : JSON.parse(text), headers: answer.headers };
  }
  async function upload(name: string, bytes: Uint8Array = makePicture('png')): Promise<string> {
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
  const wish = (image_url: unknown, key: string = randomUUID()) =>
    call(
      'POST',
      '/functions/v1/generate-video',
      JSON.stringify({ model_id: animate, prompt: 'it comes to life', image_url }),
      {
        'Content-Type': 'application/json',
        'Idempotency-Key': key,
      },
    );
  async function requestOf(imageUrl: string): Promise<GenerationRequest> {
    const { status, body } = await wish(imageUrl);
    assert.equal(status, 200, JSON.stringify(body));
    await app.drain();
    const request = seen.find(({ jobId }) => jobId === body.job_id);
    assert.ok(request);
    return request;
  }

  test('may be named by its path or by any form of its address, and all of them are one wish', async () => {
    const path = await upload('forms/cat.png');
    const key = randomUUID();
    const first = await wish(path, key);
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
      const again = await wish(form, key);
      assert.deepEqual([again.status, again.body], [200, first.body], form);
      assert.equal(again.headers.get('x-idempotent-replay'), 'true', form);
    }
    const { rows } = await app.owner.query('select image_url from video_jobs where job_id = $1', [first.body.job_id]);
    assert.equal(rows[0].image_url, path);
    const other = await upload('forms/dog.png');
    assert.equal((await wish(other, key)).status, 422, 'another picture is another wish');
    await call('DELETE', `/storage/v1/object/user_uploads/${path}`, null);
    assert.deepEqual((await wish(`user_uploads/${path}`, key)).body, first.body, 'a repeat needs the picture no more');
  });

  test('is one’s own and is there: anything else is the same 400, and costs nothing', async () => {
    const path = await upload('own.png');
    const stranger = await app.user();
    const theirs = new Uint8Array(makePicture('png'));
    const asStranger = { Authorization: `Bearer ${await app.tokenOf(stranger)}` };
    const placed = await call('POST', `/storage/v1/object/user_uploads/${stranger}/own.png`, theirs, asStranger);
    assert.equal(placed.status, 200, 'it is there, for its owner');
    const before = await app.balance(userId);
    for (const named of [
      ...[`${userId}/none.png`, `${stranger}/own.png`, `${userId}/../${stranger}/own.png`, `${userId}/%2e%2e/own.png`],
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
      const { status, body } = await wish(named);
      assert.deepEqual(
        [status, body.error.code, body.error.details.field, body.error.details.reason],
        [400, 'ERR_4006', 'image_url', 'picture_unknown'],
        named,
      );
    }
    const missing = await wish(undefined);
    assert.deepEqual([missing.status, missing.body.error.details.reason], [400, 'missing']);
    assert.equal(await app.balance(userId), before);
  });

  test('has at least 256 pixels on its shorter side, and no more than 2.4 times as many on the longer', async () => {
    for (const [name, bytes, reason] of [
      ['small.png', makePicture('png', 255, 400), 'picture_small'],
      ['long.png', makePicture('png', 256, 615), 'picture_shape'],
      ['wide.jpg', makePicture('jpeg', 2500, 1000), 'picture_shape'],
    ] as const) {
      const { status, body } = await wish(await upload(name, bytes));
      assert.deepEqual([status, body.error.details.reason], [400, reason], name);
      assert.ok(body.error.details.allowed);
      assert.match(body.error.message, /^This image is too/);
    }
    for (const bytes of [makePicture('png', 256, 614), makePicture('webp', 614, 256), jpegTurned(8, 600, 400)]) {
      assert.equal((await wish(await upload('fits.png', bytes))).status, 200);
    }
  });

  test('goes to its provider at an address that needs no token of its owner’s, until the deadline and not for ever', async () => {
    const bytes = makePicture('jpeg', 400, 300);
    const path = await upload('given', bytes);
    const { image } = await requestOf(path);
    assert.ok(image?.url);
    assert.ok(image.url.startsWith(`${HERE}/storage/v1/object/sign/user_uploads/${path}?token=`), image.url);
    assert.deepEqual([image.contentType, image.fileName], ['image/jpeg', 'given']);
    const local = image.url.slice(HERE.length);
    const opened = await app.fetch(local);
    assert.deepEqual([opened.status, opened.headers.get('content-type')], [200, 'image/jpeg']);
    assert.ok(Buffer.from(await opened.arrayBuffer()).equals(bytes));
    assert.equal((await app.fetch(local, { method: 'HEAD' })).headers.get('content-length'), String(bytes.length));
    assert.equal((await app.fetch(local.replace('given', 'other'))).status, 403, 'for this one alone');
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

  test('is handed over in person where the provider cannot reach this server', async () => {
    address = null;
    const bytes = makePicture('webp', 400, 300);
    const { image } = await requestOf(await upload('in-person.webp', bytes)).finally(() => {
      address = HERE;
    });
    assert.ok(image);
    assert.equal(image.url, null);
    assert.ok(Buffer.from(await image.load(AbortSignal.timeout(5000))).equals(bytes));
  });

  test('that is deleted or replaced while its job runs: the job’s request says so, and nobody gets another’s', async () => {
    const path = await upload('fleeting.png');
    const { status, body } = await wish(path);
    assert.equal(status, 200);
    await call('DELETE', `/storage/v1/object/user_uploads/${path}`, null);
    await app.drain();
    const request = seen.find(({ jobId }) => jobId === body.job_id);
    assert.equal(request?.image?.url, null);
    await assert.rejects(async () => request?.image?.load(AbortSignal.timeout(5000)), /no longer there/);
    assert.equal((await app.job(body.job_id)).error_code, 'ERR_5003');

    const { image } = await requestOf(await upload('replaced.png', makePicture('png', 300, 300, 1)));
    await upload('replaced.png', makePicture('png', 300, 300, 2));
    await assert.rejects(async () => image?.load(AbortSignal.timeout(5000)), /no longer there/);
  });

  test('that Supabase’s own storage took, where we have no row, is inspected where it lies', async () => {
    const place = async (name: string, bytes: Uint8Array) => {
      const file = join(app.dataDir, 'source');
      await writeFile(file, bytes);
      await app.ctx.media.putFile(`user_uploads/${userId}/${name}`, file);
      return `${userId}/${name}`;
    };
    const bytes = makePicture('png', 500, 400);
    const { image } = await requestOf(await place('theirs.jpg', bytes));
    assert.equal(image?.contentType, 'image/png');
    assert.ok(Buffer.from(await image.load(AbortSignal.timeout(5000))).equals(bytes));
    const opened = await app.fetch(String(image.url).slice(HERE.length));
    assert.deepEqual([opened.status, opened.headers.get('content-type')], [200, 'image/png']);
    for (const [name, content] of [
      ['page.png', Buffer.from('<html>')],
      ['huge.png', Buffer.alloc(10_485_761)],
      ['tiny.png', makePicture('png', 100, 100)],
    ] as const) {
      assert.equal((await wish(await place(name, content))).status, 400, name);
    }
    await place('theirs.jpg', makePicture('png', 500, 400, 9));
    await assert.rejects(image.load(AbortSignal.timeout(5000)), /no longer there/);
  });
});
