/** Keys are kept until an answer is definitive, and no longer. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ConnectionError, GenerationError, memoryStorage, RendioError, type Retry } from '../../client/src/index.ts';
import { type CuttingProxy, createCuttingProxy } from '../support/cutting-proxy.ts';
import { type SharedServer, useSharedServer } from '../support/server-on-database.ts';
import { DECLINED, ENDLESS, keep, kept, newClient, type Seen, until } from './support.ts';

let server: SharedServer;
let proxy: CuttingProxy;
before(async () => {
  server = await useSharedServer();
  proxy = await createCuttingProxy(server.url);
});
after(async () => {
  await proxy?.[Symbol.asyncDispose]();
  await server?.stop();
});

const keysOf = (calls: Seen[]) =>
  calls.flatMap(({ path, headers }) => (path.endsWith('/generate-video') ? [headers.get('Idempotency-Key')] : []));
const refusal =
  (status: number, code: string, headers = {}) =>
  () =>
    Response.json({ error: { code, message: code, details: {} } }, { status, headers });

/** A client whose first calls of generate-video meet these answers; the server hears of none of them. */
async function meeting(answers: (() => Response)[], storage = memoryStorage()) {
  const left = [...answers];
  return newClient(server.url, storage, (next) => async (input, init) => {
    const answer = String(input).endsWith('/generate-video') ? left.shift() : undefined;
    // Away from the server's ears, but seen among the calls.
    if (answer) await next(`${server.url}/healthz`, { headers: init?.headers ?? {} });
    return answer ? answer() : next(input, init);
  });
}

describe('an answer that leaves open whether there is a charge', { concurrency: true }, () => {
  for (const [what, answer] of Object.entries({
    'a 500': refusal(500, 'ERR_6003'),
    'a database that is away': refusal(503, 'ERR_6001'),
    'the page of a proxy that waited in vain': () => new Response('<h1>Bad Gateway</h1>', { status: 502 }),
    'a 504 of a proxy': () => new Response('', { status: 504 }),
    'a 408': () => new Response('', { status: 408 }),
    'a first try that still runs': refusal(409, 'ERR_4008', { 'Retry-After': '0' }),
    'a yes that cannot be read': () => new Response('{"job_id": "9b2f8f3c', { status: 200 }),
  })) {
    test(`is asked for again under the same key: ${what}`, async () => {
      const { rendio, calls, modelId, storage } = await meeting([answer]);
      const retries: Retry[] = [];
      const onRetry = async (retry: Retry) => {
        retries.push(retry);
        keyWhileOpen = (await kept<{ key: string }[]>(storage, 'pending'))?.[0]?.key;
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

  test('is told when the server stays in trouble; the key is kept for the next time', async () => {
    const { rendio, calls, modelId } = await meeting(Array(4).fill(refusal(503, 'ERR_6001')));
    const request = { model_id: modelId, prompt: DECLINED };
    await assert.rejects(rendio.submit(request), { name: 'RendioError', code: 'ERR_6001' });
    const open = await rendio.unanswered();
    assert.deepEqual(open?.request, request);
    await rendio.submit(request);
    assert.equal(keysOf(calls)[0], open?.idempotencyKey);
    assert.equal(await rendio.unanswered(), null);
  });

  test('is told when patience ends; the key is kept', async () => {
    const { rendio, modelId } = await newClient(proxy.url);
    await rendio.onboard();
    proxy.close();
    const request = { model_id: modelId, prompt: DECLINED };
    await assert.rejects(rendio.submit(request, { patienceMs: 0 }), ConnectionError);
    proxy.open();
    assert.deepEqual((await rendio.unanswered())?.request, request);
  });
});

describe('an answer that says there is none', () => {
  for (const [what, answer] of Object.entries({
    'an empty purse': refusal(402, 'ERR_4001'),
    'a prompt that is too short': refusal(400, 'ERR_4003'),
    'a used-up limit': refusal(429, 'ERR_4004', { 'Retry-After': '600' }),
    'a provider that is down': refusal(502, 'ERR_5002'),
    'a switched-off feature': refusal(501, 'ERR_4017'),
    'a key of another request': refusal(422, 'ERR_4009'),
    'a proxy that is too small': () => new Response('', { status: 413 }),
  })) {
    test(`is thrown at once, and the key forgotten: ${what}`, async () => {
      const { rendio, modelId, storage } = await meeting([answer]);
      await assert.rejects(rendio.submit({ model_id: modelId, prompt: DECLINED }), RendioError);
      assert.deepEqual([await rendio.unanswered(), await kept(storage, 'pending')], [null, null]);
    });
  }

  test('comes from the real server with its sentence, details and request id', async () => {
    const { rendio, modelId } = await newClient(server.url);
    const error: unknown = await rendio.submit({ model_id: modelId, prompt: 'x' }).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof RendioError);
    assert.deepEqual([error.code, error.status, error.details.field], ['ERR_4003', 400, 'prompt']);
    assert.match(error.message, /3 to 2,000 characters/);
    assert.match(error.requestId ?? '', /^[\w.-]{8,128}$/);
  });
});

describe('once an earlier try may have been charged', { concurrency: true }, () => {
  const open = refusal(503, 'ERR_6001');

  test('a limit is waited for, since it is said before the key is looked at', async () => {
    const { rendio, calls, modelId } = await meeting([open, refusal(429, 'ERR_4004', { 'Retry-After': '1' })]);
    await rendio.submit({ model_id: modelId, prompt: DECLINED });
    assert.equal(keysOf(calls).length, 1);
    assert.equal((await rendio.jobs()).total, 1);
  });

  test('a refusal of the caller keeps the key', async () => {
    const { rendio, modelId } = await meeting([open, refusal(403, 'ERR_4013')]);
    await assert.rejects(rendio.submit({ model_id: modelId, prompt: DECLINED }), { code: 'ERR_4013' });
    assert.ok(await rendio.unanswered());
  });

  test('a refusal of the request settles it', async () => {
    const { rendio, modelId } = await meeting([open, refusal(402, 'ERR_4001')]);
    await assert.rejects(rendio.submit({ model_id: modelId, prompt: DECLINED }), { code: 'ERR_4001' });
    assert.equal(await rendio.unanswered(), null);
  });
});

describe('a key', () => {
  test('is kept over an abort and a reload, and goes on with the same request', async () => {
    const { rendio, storage, calls, modelId } = await newClient(proxy.url);
    const request = { model_id: modelId, prompt: `left behind ${DECLINED}`, settings: { duration: 2, fps: 24 } };
    await rendio.onboard();
    const leaving = new AbortController();
    proxy.cutNext('left behind', { part: 'answer', share: 0 });
    const onRetry = () => leaving.abort(new Error('the page is left'));
    await assert.rejects(rendio.submit(request, { signal: leaving.signal, onRetry }), { message: 'the page is left' });

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

  test('is not lost because another request was sent meanwhile, also by another client', async () => {
    const { rendio, storage, modelId } = await newClient(proxy.url);
    const { rendio: tab } = await newClient(proxy.url, storage);
    await rendio.onboard();
    const prompts = [1, 2, 3, 4].map((number) => `wish ${number} ${DECLINED}`);
    for (const prompt of prompts) proxy.cutNext(prompt, { part: 'answer', share: 0 });
    const tried = prompts.map((prompt, index) =>
      (index % 2 ? tab : rendio).submit({ model_id: modelId, prompt }, { patienceMs: 0 }),
    );
    for (const { status } of await Promise.allSettled(tried)) assert.equal(status, 'rejected');
    const open = await kept<{ key: string }[]>(storage, 'pending');
    assert.equal(new Set(open?.map(({ key }) => key)).size, 4);
    for (const prompt of prompts) await tab.submit({ model_id: modelId, prompt });
    assert.equal((await tab.jobs()).total, 4);
    assert.equal(await kept(storage, 'pending'), null);
  });

  test('of an account is not used for another', async () => {
    const { rendio, storage, modelId, calls } = await newClient(server.url);
    await rendio.onboard();
    const old = { key: '1b4e28ba-2fa1-41d2-883f-0016d3cca427', request: { model_id: modelId, prompt: DECLINED } };
    await keep(storage, 'pending', [{ ...old, account: 'somebody else', at: Date.now() }]);
    assert.equal(await rendio.unanswered(), null);
    await rendio.submit(old.request);
    assert.notEqual(keysOf(calls)[0], old.key);
    assert.equal((await kept<unknown[]>(storage, 'pending'))?.length, 1);
  });

  test('of one’s own makes two equal requests two videos', async () => {
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

test('a failed video is an error with its job, in the language of the client, and its credits are back', async () => {
  const { rendio, modelId } = await newClient(server.url);
  const error: unknown = await rendio
    .generate({ model_id: modelId, prompt: DECLINED })
    .catch((thrown: unknown) => thrown);
  assert.ok(error instanceof GenerationError && error instanceof RendioError);
  assert.deepEqual([error.code, error.job.status, error.message], ['ERR_5003', 'failed', error.job.error_message]);
  assert.equal(await rendio.credits(), 10);
});

test('a cancellation and a deletion whose answers are lost are asked for again, and done once', async () => {
  const { rendio, modelId } = await newClient(proxy.url);
  const { job_id } = await rendio.submit({ model_id: modelId, prompt: ENDLESS });
  proxy.cutNext('/cancel-video-job', { part: 'answer', share: 0.5 });
  assert.deepEqual(await rendio.cancel(job_id), { success: true, refunded: 1, credits_remaining: 10 });
  proxy.cutNext('/delete-video-job', { part: 'answer', share: 0.5 });
  assert.deepEqual(await rendio.delete(job_id), { success: true });
  assert.equal((await rendio.jobs()).total, 0);
  await until('the refund is in the history', async () => (await rendio.creditHistory()).transactions.length === 3);
});
