/** Images: uploaded once under a name made from their content, and animated once even if the request is repeated. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { memoryStorage, type Progress, RendioError } from '../../client/src/index.ts';
import { type CuttingProxy, createCuttingProxy } from '../support/cutting-proxy.ts';
import { drawImage } from '../support/images.ts';
import { type SharedServer, useSharedServer } from '../support/server-on-database.ts';
import { newClient, type Seen } from './support.ts';

let server: SharedServer;
let proxy: CuttingProxy;
let lake: Buffer<ArrayBuffer>;
before(async () => {
  server = await useSharedServer();
  proxy = await createCuttingProxy(server.url);
  lake = await drawImage(640, 360);
});
after(async () => {
  await proxy?.[Symbol.asyncDispose]();
  await server?.stop();
});

const uploadsIn = (calls: Seen[]) =>
  calls.filter(({ method, path }) => method === 'POST' && path.startsWith('/storage/v1/object/user_uploads/'));

describe('an image', () => {
  test('is stored under its owner and its hash, and is returned unchanged until it is removed', async () => {
    const { rendio } = await newClient(server.url);
    const { path, contentType, bytes } = await rendio.uploads.put(lake);
    const hash = createHash('sha256').update(lake).digest('hex');
    assert.deepEqual(
      [path, contentType, bytes],
      [`${await rendio.accountId()}/${hash}.jpg`, 'image/jpeg', lake.length],
    );
    assert.deepEqual(Buffer.from(await (await rendio.uploads.get(path)).arrayBuffer()), lake);
    await rendio.uploads.remove(path);
    await rendio.uploads.remove(path);
    await assert.rejects(rendio.uploads.get(path), { name: 'RendioError', code: 'ERR_4007', status: 404 });
  });

  test('has the type of its bytes, whatever its file name says', async () => {
    const { rendio } = await newClient(server.url);
    for (const format of ['png', 'webp'] as const) {
      const file = new File([await drawImage(200, 100, { format })], 'holiday.jpg', { type: 'image/jpeg' });
      const { path, contentType } = await rendio.uploads.put(file);
      assert.equal(contentType, `image/${format}`);
      assert.ok(path.endsWith(`.${format}`));
    }
  });

  test('may be given a name, and a later one of that name replaces it', async () => {
    const { rendio } = await newClient(server.url);
    const other = await drawImage(640, 360, { sky: '#602030' });
    const { path } = await rendio.uploads.put(lake, { name: 'first-frame.jpg' });
    assert.equal((await rendio.uploads.put(new Blob([other]), { name: 'first-frame.jpg' })).path, path);
    assert.deepEqual(Buffer.from(await (await rendio.uploads.get(path)).arrayBuffer()), other);
  });

  test('is named by its content also where there is no crypto.subtle', async (t) => {
    const { rendio } = await newClient(server.url);
    const { subtle } = crypto;
    Object.defineProperty(crypto, 'subtle', { value: undefined, configurable: true });
    t.after(() => Object.defineProperty(crypto, 'subtle', { value: subtle, configurable: true }));
    const [one, same] = [await rendio.uploads.put(lake), await rendio.uploads.put(lake)];
    assert.match(one.path, /\/[0-9a-f]{32}\.jpg$/);
    assert.equal(same.path, one.path);
    const other = await rendio.uploads.put(await drawImage(640, 360, { sky: '#204071' }));
    assert.notEqual(other.path, one.path);
  });

  test('reports the bytes that were sent', async () => {
    const { rendio } = await newClient(server.url);
    const reported: Progress[] = [];
    await rendio.uploads.put(lake, { onProgress: (progress) => reported.push(progress) });
    const total = lake.length;
    assert.deepEqual(reported, [
      { sent: 0, total },
      { sent: total, total },
    ]);
  });
});

describe('an upload', () => {
  for (const [what, part] of [
    ['is cut while it is sent', 'request'],
    ['loses its answer', 'answer'],
  ] as const) {
    test(`that ${what} is retried under the same name`, async () => {
      const { rendio, calls } = await newClient(proxy.url);
      await rendio.onboard();
      proxy.cutNext('/storage/v1/object/user_uploads/', { part, share: 0.5 });
      const { path } = await rendio.uploads.put(lake);
      const sent = uploadsIn(calls);
      assert.equal(sent.length, 2);
      assert.equal(sent[0]?.path, sent[1]?.path);
      assert.equal((await rendio.uploads.get(path)).size, lake.length);
    });
  }

  test('whose token is invalid is repeated with a new one', async () => {
    const storage = memoryStorage();
    const { rendio } = await newClient(server.url, storage);
    await rendio.onboard();
    const session = JSON.parse((await storage.get('rendio.session')) ?? '{}');
    await storage.set('rendio.session', JSON.stringify({ ...session, access_token: `${session.access_token}x` }));
    const { path } = await rendio.uploads.put(lake);
    assert.ok(path.startsWith(`${session.user_id}/`));
  });

  test('that is aborted ends with the reason', async () => {
    const { rendio } = await newClient(server.url);
    await rendio.onboard();
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error('changed my mind'));
    await assert.rejects(rendio.uploads.put(lake, { signal: controller.signal, onProgress }), {
      message: 'changed my mind',
    });
  });

  for (const [what, make, code, status] of [
    ['is not an image', () => Buffer.from('<html>hello</html>'), 'ERR_4015', 415],
    ['is incomplete', async () => lake.subarray(0, 800), 'ERR_4015', 415],
    ['is too large', async () => Buffer.concat([lake, Buffer.alloc(10_485_761)]), 'ERR_4014', 413],
    ['is too small', () => drawImage(16, 16), 'ERR_4006', 400],
  ] as const) {
    test(`that ${what} is rejected with the server’s message, and not retried`, async () => {
      const { rendio, calls } = await newClient(server.url);
      const error: unknown = await rendio.uploads.put(Buffer.from(await make())).catch((thrown: unknown) => thrown);
      assert.ok(error instanceof RendioError, String(error));
      assert.deepEqual([error.code, error.status], [code, status]);
      assert.ok(error.message.length > 20 && !error.message.includes('_'), error.message);
      assert.equal(uploadsIn(calls).length, 1);
    });
  }
});

describe('a generation with an image', () => {
  async function guestWithImage(url: string) {
    const guest = await newClient(url);
    const model = (await guest.rendio.models()).find(({ name }) => name === 'Animate');
    assert.ok(model);
    return { ...guest, request: { model_id: model.id, prompt: 'the sun rises', image: lake } };
  }

  test('uploads the image, sends its path, and results in a video', async () => {
    const { rendio, request, calls } = await guestWithImage(server.url);
    const uploads: Progress[] = [];
    const job = await rendio.generate(request, { onUpload: (progress) => uploads.push(progress) });
    assert.equal(job.status, 'completed');
    assert.ok(job.video_url);
    assert.equal(uploadsIn(calls).length, 1);
    assert.equal(uploads.at(-1)?.sent, lake.length);
  });

  test('without an answer is retried under its key with the same path, and charged once', async () => {
    const { rendio, request } = await guestWithImage(proxy.url);
    await rendio.onboard();
    proxy.cutNext('the sun rises', { part: 'answer', share: 0 });
    await assert.rejects(rendio.submit(request, { patienceMs: 0 }), { name: 'ConnectionError' });
    const open = await rendio.unanswered();
    assert.match(open?.request.image_url ?? '', /^[0-9a-f-]{36}\/[0-9a-f]{64}\.jpg$/);
    await rendio.submit(request);
    assert.equal((await rendio.jobs()).total, 1);
    assert.equal(await rendio.unanswered(), null);
  });

  test('whose image is rejected costs nothing and leaves no key', async () => {
    const { rendio, request } = await guestWithImage(server.url);
    await assert.rejects(rendio.generate({ ...request, image: Buffer.from('not an image') }), { code: 'ERR_4015' });
    assert.deepEqual([await rendio.credits(), await rendio.unanswered(), (await rendio.jobs()).total], [10, null, 0]);
  });
});
