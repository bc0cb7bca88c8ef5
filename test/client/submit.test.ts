/** Idempotency keys are kept until an answer is definitive, and no longer. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ConnectionError, GenerationError, memoryStorage, RendioError, type Retry } from '../../client/src/index.ts';
import { type CuttingProxy, createCuttingProxy } from '../support/cutting-proxy.ts';
import type { TestServer } from '../support/server.ts';
import { startServerOnDatabase } from '../support/server-on-database.ts';
import { DECLINED, ENDLESS, newClient, readStored, type Seen, until, writeStored } from './support.ts';

let server: TestServer;
let proxy: CuttingProxy;
before(async () => {
  server = await startServerOnDatabase();
  proxy = await createCuttingProxy(server.url);
});
after(async () => {
  await proxy?.[Symbol.asyncDispose]();
  await server?.stop();
});

const keysOf = (calls: Seen[]) =>
  calls.flatMap(({ path, headers }) => (path.endsWith('/generate-video') ? [headers.get('Idempotency-Key')] : []));
const errorAnswer =
  (status: number, code: string, headers = {}) =>
  () =>
    Response.json({ error: { code, message: code, details: {} } }, { status, headers });

/** A client whose first calls of generate-video get these answers and do not reach the server's endpoint. */
async function clientWithAnswers(answers: (() => Response)[], storage = memoryStorage()) {
  const left = [...answers];
  return newClient(server.url, storage, (next) => async (input, init) => {
    const answer = String(input).endsWith('/generate-video') ? left.shift() : undefined;
    // Recorded among the calls, but sent to another endpoint.
    if (answer) await next(`${server.url}/healthz`, { headers: init?.headers ?? {} });
    return answer ? answer() : next(input, init);
  });
}

describe('an answer that leaves it unknown whether there is a charge', { concurrency: true }, () => {
  for (const [what, answer] of Object.entries({
    'a 500': errorAnswer(500, 'ERR_6003'),
    'an unavailable database': errorAnswer(503, 'ERR_6001'),
    'a proxy’s error page': () => new Response('<h1>Bad Gateway</h1>', { status: 502 }),
    'a proxy’s 504': () => new Response('', { status: 504 }),
    'a 408': () => new Response('', { status: 408 }),
    'a first attempt that still runs': errorAnswer(409, 'ERR_4008', { 'Retry-After': '0' }),
    'a 200 that cannot be parsed': () => new Response('{"job_id": "9b2f8f3c', { status: 200 }),
  })) {
    test(`is retried under the same key: ${what}`, async () => {
      const { rendio, calls, modelId, storage } = await clientWithAnswers([answer]);
      const retries: Retry[] = [];
      const onRetry = async (retry: Retry) => {
        retries.push(retry);
        keyWhileOpen = (await readStored<{ key: string }[]>(storage, 'pending'))?.[0]?.key;
      };
      let keyWhileOpen: string | undefined;
      const { job_id } = await rendio.submit({ model_id: modelId, prompt: DECLINED }, { onRetry });
      assert.equal((await rendio.jobs()).jobs[0]?.job_id, job_id);
      const sent = calls
        .filter(({ headers }) => headers.has('Idempotency-Key'))
        .map(({ headers }) => headers.get('Idempotency-Key'));
      assert.deepEqual([retries.length, sent.length, new Set(sent).size], [1, 2, 1]);
      assert.equal(keyWhileOpen, keysOf(calls)[0]);
      assert.equal(await rendio.unanswered(), null);
    });
  }

  test('is thrown when the server keeps failing; the key is kept for the next call', async () => {
    const { rendio, calls, modelId } = await clientWithAnswers(Array(4).fill(errorAnswer(503, 'ERR_6001')));
    const request = { model_id: modelId, prompt: DECLINED };
    await assert.rejects(rendio.submit(request), { name: 'RendioError', code: 'ERR_6001' });
    const open = await rendio.unanswered();
    assert.deepEqual(open?.request, request);
    await rendio.submit(request);
    assert.equal(keysOf(calls)[0], open?.idempotencyKey);
    assert.equal(await rendio.unanswered(), null);
  });

  test('is thrown when the time for retries is used up; the key is kept', async () => {
    const { rendio, modelId } = await newClient(proxy.url);
    await rendio.onboard();
    proxy.close();
    const request = { model_id: modelId, prompt: DECLINED };
    await assert.rejects(rendio.submit(request, { patienceMs: 0 }), ConnectionError);
    proxy.open();
    assert.deepEqual((await rendio.unanswered())?.request, request);
  });
});

describe('an answer that says there is no charge', () => {
  for (const [what, answer] of Object.entries({
    'no credits': errorAnswer(402, 'ERR_4001'),
    'a prompt that is too short': errorAnswer(400, 'ERR_4003'),
    'a reached limit': errorAnswer(429, 'ERR_4004', { 'Retry-After': '600' }),
    'an unavailable provider': errorAnswer(502, 'ERR_5002'),
    'a disabled feature': errorAnswer(501, 'ERR_4017'),
    'a key of another request': errorAnswer(422, 'ERR_4009'),
    'a proxy’s size limit': () => new Response('', { status: 413 }),
  })) {
    test(`is thrown at once, and the key is deleted: ${what}`, async () => {
      const { rendio, modelId, storage } = await clientWithAnswers([answer]);
      await assert.rejects(rendio.submit({ model_id: modelId, prompt: DECLINED }), RendioError);
      assert.deepEqual([await rendio.unanswered(), await readStored(storage, 'pending')], [null, null]);
    });
  }

  test('from the real server has its message, details and request id', async () => {
    const { rendio, modelId } = await newClient(server.url);
    const error: unknown = await rendio.submit({ model_id: modelId, prompt: 'x' }).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof RendioError);
    assert.deepEqual([error.code, error.status, error.details.field], ['ERR_4003', 400, 'prompt']);
    assert.match(error.message, /3 to 2,000 characters/);
    assert.match(error.requestId ?? '', /^[\w.-]{8,128}$/);
  });
});

describe('once an earlier attempt may have been charged', { concurrency: true }, () => {
  const open = errorAnswer(503, 'ERR_6001');

  test('a rate limit is waited for, because the server checks it before the key', async () => {
    const { rendio, calls, modelId } = await clientWithAnswers([
      open,
      errorAnswer(429, 'ERR_4004', { 'Retry-After': '1' }),
    ]);
    await rendio.submit({ model_id: modelId, prompt: DECLINED });
    assert.equal(keysOf(calls).length, 1);
    assert.equal((await rendio.jobs()).total, 1);
  });

  test('a 403 for the caller keeps the key', async () => {
    const { rendio, modelId } = await clientWithAnswers([open, errorAnswer(403, 'ERR_4013')]);
    await assert.rejects(rendio.submit({ model_id: modelId, prompt: DECLINED }), { code: 'ERR_4013' });
    assert.ok(await rendio.unanswered());
  });

  test('a rejected request deletes the key', async () => {
    const { rendio, modelId } = await clientWithAnswers([open, errorAnswer(402, 'ERR_4001')]);
    await assert.rejects(rendio.submit({ model_id: modelId, prompt: DECLINED }), { code: 'ERR_4001' });
    assert.equal(await rendio.unanswered(), null);
  });
});

describe('an idempotency key', () => {
  test('survives an abort and a reload, and is used again for the same request', async () => {
    const { rendio, storage, calls, modelId } = await newClient(proxy.url);
    const request = { model_id: modelId, prompt: `left behind ${DECLINED}`, settings: { duration: 2, fps: 24 } };
    await rendio.onboard();
    const controller = new AbortController();
    proxy.cutNext('left behind', { part: 'answer', share: 0 });
    const onRetry = () => controller.abort(new Error('the page is left'));
    await assert.rejects(rendio.submit(request, { signal: controller.signal, onRetry }), {
      message: 'the page is left',
    });

    const { rendio: reloaded, calls: later } = await newClient(proxy.url, storage);
    const open = await reloaded.unanswered();
    assert.deepEqual([open?.request, open?.idempotencyKey], [request, keysOf(calls)[0]]);
    assert.ok(Math.abs((open?.at ?? 0) - Date.now()) < 60_000);
    // The same request, written in another order.
    await reloaded.submit({ settings: { fps: 24, duration: 2 }, prompt: ` ${request.prompt}`, model_id: modelId });
    assert.deepEqual(keysOf(later), [open?.idempotencyKey]);
    assert.equal((await reloaded.jobs()).total, 1);
    assert.equal(await reloaded.unanswered(), null);
  });

  test('is not lost when other requests are sent meanwhile, also by another client', async () => {
    const { rendio, storage, modelId } = await newClient(proxy.url);
    const { rendio: tab } = await newClient(proxy.url, storage);
    await rendio.onboard();
    const prompts = [1, 2, 3, 4].map((number) => `video ${number} ${DECLINED}`);
    for (const prompt of prompts) proxy.cutNext(prompt, { part: 'answer', share: 0 });
    const attempts = prompts.map((prompt, index) =>
      (index % 2 ? tab : rendio).submit({ model_id: modelId, prompt }, { patienceMs: 0 }),
    );
    for (const { status } of await Promise.allSettled(attempts)) assert.equal(status, 'rejected');
    const open = await readStored<{ key: string }[]>(storage, 'pending');
    assert.equal(new Set(open?.map(({ key }) => key)).size, 4);
    for (const prompt of prompts) await tab.submit({ model_id: modelId, prompt });
    assert.equal((await tab.jobs()).total, 4);
    assert.equal(await readStored(storage, 'pending'), null);
  });

  test('of an account is not used for another', async () => {
    const { rendio, storage, modelId, calls } = await newClient(server.url);
    await rendio.onboard();
    const old = { key: '1b4e28ba-2fa1-41d2-883f-0016d3cca427', request: { model_id: modelId, prompt: DECLINED } };
    await writeStored(storage, 'pending', [{ ...old, account: 'another account', at: Date.now() }]);
    assert.equal(await rendio.unanswered(), null);
    await rendio.submit(old.request);
    assert.notEqual(keysOf(calls)[0], old.key);
    assert.equal((await readStored<unknown[]>(storage, 'pending'))?.length, 1);
  });

  test('given by the caller makes two equal requests two videos', async () => {
    const { rendio, modelId } = await newClient(server.url);
    const request = { model_id: modelId, prompt: DECLINED };
    const [one, two] = await Promise.all([
      rendio.submit(request, { idempotencyKey: crypto.randomUUID() }),
      rendio.submit(request, { idempotencyKey: crypto.randomUUID() }),
    ]);
    assert.notEqual(one.job_id, two.job_id);
    assert.equal((await rendio.jobs()).total, 2);
  });
});

test('a failed video throws an error with its job, in the client’s language, and its credits are refunded', async () => {
  const { rendio, modelId } = await newClient(server.url);
  const error: unknown = await rendio
    .generate({ model_id: modelId, prompt: DECLINED })
    .catch((thrown: unknown) => thrown);
  assert.ok(error instanceof GenerationError && error instanceof RendioError);
  assert.deepEqual([error.code, error.job.status, error.message], ['ERR_5003', 'failed', error.job.error_message]);
  assert.equal(await rendio.credits(), 10);
});

test('a cancellation and a deletion whose answers are lost are retried, and happen once', async () => {
  const { rendio, modelId } = await newClient(proxy.url);
  const { job_id } = await rendio.submit({ model_id: modelId, prompt: ENDLESS });
  proxy.cutNext('/cancel-video-job', { part: 'answer', share: 0.5 });
  assert.deepEqual(await rendio.cancel(job_id), { success: true, refunded: 1, credits_remaining: 10 });
  proxy.cutNext('/delete-video-job', { part: 'answer', share: 0.5 });
  assert.deepEqual(await rendio.delete(job_id), { success: true });
  assert.equal((await rendio.jobs()).total, 0);
  await until('the refund is in the history', async () => (await rendio.creditHistory()).transactions.length === 3);
});
