import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { createDeviceCheck } from '../../src/apple/device-check.ts';
import { silentLog } from '../../src/kernel/log.ts';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const token = 'ZGV2aWNlOmE=';

function deviceCheckWith(answer: typeof fetch, timeoutMs = 2000, baseUrl = 'https://apple.example') {
  return createDeviceCheck({
    teamId: 'ABCDE12345',
    keyId: '2X9R4HXF34',
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    baseUrl,
    fetch: answer,
    clock: { now: () => new Date(0) },
    log: silentLog,
    timeoutMs,
  });
}

/** Never settles, and ignores its signal. */
const hanging: typeof fetch = () => new Promise(() => {});

function failing(code: string): { fetch: typeof fetch; calls(): number } {
  let calls = 0;
  const cause = new AggregateError([], 'all IP addresses', { cause: Object.assign(new Error(), { code }) });
  return {
    fetch: async () => {
      calls += 1;
      throw new TypeError('fetch failed', { cause });
    },
    calls: () => calls,
  };
}

test('the vendor’s paths are appended to a base URL that has a path', async () => {
  for (const base of ['https://proxy.example/apple/dc', 'https://proxy.example/apple/dc/']) {
    const urls: string[] = [];
    const recordingFetch: typeof fetch = async (url) => {
      urls.push(String(url));
      return new Response('');
    };
    const apple = deviceCheckWith(recordingFetch, 2000, base);
    await apple.query(token);
    await apple.setBits(token, { bit0: true, bit1: true });
    assert.deepEqual(urls, [
      'https://proxy.example/apple/dc/v1/query_two_bits',
      'https://proxy.example/apple/dc/v1/update_two_bits',
    ]);
  }
});

test('an update always sends both bits', async () => {
  const bodies: unknown[] = [];
  const reading: typeof fetch = async (_url, init) => {
    bodies.push(JSON.parse(String(init?.body)));
    return new Response('');
  };
  assert.equal(await deviceCheckWith(reading).setBits(token, { bit0: false, bit1: true }), 'done');
  const [{ transaction_id: id, ...rest }] = bodies as [Record<string, unknown>];
  assert.match(String(id), /^[0-9a-f-]{36}$/);
  assert.deepEqual(rest, { device_token: token, timestamp: 0, bit0: false, bit1: true });
});

test('a query times out even where fetch ignores its signal', async () => {
  const apple = deviceCheckWith(hanging, 50);
  assert.deepEqual(await apple.query(token), { state: 'unavailable', cause: 'no answer in time' });
});

test('both attempts together stay within the timeout', async () => {
  let calls = 0;
  const firstFails: typeof fetch = (...request) => {
    calls += 1;
    return calls === 1 ? Promise.resolve(new Response(null, { status: 500 })) : hanging(...request);
  };
  const startedAtMs = performance.now();
  const answer = await deviceCheckWith(firstFails, 400).query(token);
  assert.deepEqual(answer, { state: 'unavailable', cause: 'no answer in time' });
  assert.ok(performance.now() - startedAtMs < 2000);
  assert.equal(calls, 2);
});

test('no second attempt starts after the timeout', async () => {
  let calls = 0;
  const busy: typeof fetch = async () => {
    calls += 1;
    return new Response(null, { status: 503, headers: { 'retry-after': '1' } });
  };
  const apple = deviceCheckWith(busy, 50);
  assert.deepEqual(await apple.query(token), { state: 'unavailable', cause: 'answered 503' });
  assert.equal(calls, 1);
});

test('an update has failed only where no connection was made; after a lost connection its outcome is unknown', async () => {
  for (const code of ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']) {
    const { fetch, calls } = failing(code);
    const outcome = await deviceCheckWith(fetch).setBits(token, { bit0: true, bit1: true });
    assert.deepEqual(outcome, { outcome: 'failed', cause: `no connection (${code})` });
    assert.equal(calls(), 2);
  }
  for (const code of ['ECONNRESET', 'UND_ERR_SOCKET', 'ETIMEDOUT', 'EPIPE']) {
    const outcome = await deviceCheckWith(failing(code).fetch).setBits(token, { bit0: true, bit1: true });
    assert.deepEqual(outcome, { outcome: 'unknown', cause: `connection lost (${code})` });
  }
});

test('a token in an answer is removed from the cause', async () => {
  const echoing: typeof fetch = async (_url, init) =>
    new Response(`who is ${new Headers(init?.headers).get('authorization')?.slice(0, 100)} ?`, { status: 401 });
  const answer = await deviceCheckWith(echoing).query(token);
  assert.deepEqual(answer, { state: 'unavailable', cause: 'answered 401: who is Bearer … ?' });
});

test('a query times out even where the body ignores the signal', async () => {
  const silent: typeof fetch = async () => new Response(new ReadableStream());
  const answer = await deviceCheckWith(silent, 50).query(token);
  assert.deepEqual(answer, { state: 'unavailable', cause: 'no answer in time' });
});

test('an endless body is cancelled at the size limit', async () => {
  let [bytesGiven, isCancelled] = [0, false];
  const endless: typeof fetch = async () => {
    const pull = (controller: ReadableStreamDefaultController) => {
      bytesGiven += 4096;
      controller.enqueue(new Uint8Array(4096));
    };
    const cancel = () => {
      isCancelled = true;
    };
    return new Response(new ReadableStream({ pull, cancel }));
  };
  const answer = await deviceCheckWith(endless).query(token);
  assert.deepEqual(answer, { state: 'unavailable', cause: 'answered 200 with an unexpected body' });
  assert.ok(isCancelled && bytesGiven < 64 * 1024, `${bytesGiven} bytes`);
});
