/** Sessions: renewed once for any number of calls, and never lost through an error of the server or the network. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ConnectionError, createClient, memoryStorage, RendioError, type Storage } from '../../client/src/index.ts';
import { type CuttingProxy, createCuttingProxy } from '../support/cutting-proxy.ts';
import { type SharedServer, useSharedServer } from '../support/server-on-database.ts';
import { newClient, readStored, type Seen, writeStored } from './support.ts';

type StoredSession = {
  access_token: string;
  refresh_token: string;
  expires_at: number;
  user_id: string;
  is_guest: boolean;
};

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

const renewals = (calls: Seen[]) => calls.filter(({ path }) => path.startsWith('/auth/v1/token'));
const onboardings = (calls: Seen[]) => calls.filter(({ path }) => path.endsWith('/device-check'));

async function change(storage: Storage, parts: Partial<StoredSession>): Promise<void> {
  await writeStored(storage, 'session', { ...(await readStored<StoredSession>(storage, 'session')), ...parts });
}

const EXPIRED = { access_token: 'expired', expires_at: 1 };

describe('an access token', () => {
  test('that has expired is renewed once for twenty calls at once', async () => {
    const { rendio, storage, calls } = await newClient(server.url);
    const { user_id } = await rendio.onboard();
    await change(storage, EXPIRED);
    const balances = await Promise.all(Array.from({ length: 20 }, () => rendio.credits()));
    assert.deepEqual(new Set(balances), new Set([10]));
    assert.deepEqual([renewals(calls).length, onboardings(calls).length], [1, 1]);
    assert.equal(await rendio.accountId(), user_id);
  });

  test('that has expired is renewed once by several clients on one storage', async () => {
    const storage = memoryStorage();
    const clients = await Promise.all(Array.from({ length: 4 }, () => newClient(server.url, storage)));
    await clients[0]?.rendio.onboard();
    await change(storage, EXPIRED);
    await Promise.all(clients.flatMap(({ rendio }) => [rendio.credits(), rendio.profile()]));
    assert.equal(clients.flatMap(({ calls }) => renewals(calls)).length, 1);
  });

  test('that the server rejects is renewed, and each call is made once more', async () => {
    const { rendio, storage, calls } = await newClient(server.url);
    await rendio.onboard();
    await change(storage, { access_token: 'of another server' });
    await Promise.all([rendio.credits(), rendio.credits(), rendio.profile()]);
    assert.equal(renewals(calls).length, 1);
    assert.equal(calls.filter(({ path }) => path.endsWith('/get-user-credits')).length, 4);
  });

  test('of a new guest is requested once, however many calls run at once', async () => {
    const { rendio, calls } = await newClient(server.url);
    await Promise.all([rendio.credits(), rendio.jobs(), rendio.profile(), rendio.onboard()]);
    assert.equal(onboardings(calls).length, 1);
  });

  test('expires by the server’s clock', async () => {
    const { Date: RealDate } = globalThis;
    const { rendio, storage, calls } = await newClient(server.url);
    await rendio.onboard();
    const realNow = RealDate.now;
    try {
      // This machine's clock moves two hours ahead while the client runs; an answer's Date shows the difference.
      RealDate.now = () => realNow() + 7_200_000;
      await rendio.models();
      await rendio.credits();
    } finally {
      RealDate.now = realNow;
    }
    assert.equal(renewals(calls).length, 0);
    assert.ok(((await readStored<StoredSession>(storage, 'session'))?.expires_at ?? 0) > 0);
  });
});

describe('a renewal', () => {
  test('without an answer keeps the session', async () => {
    const { rendio, storage } = await newClient(proxy.url);
    const { user_id } = await rendio.onboard();
    await change(storage, EXPIRED);
    const before = await readStored<StoredSession>(storage, 'session');
    proxy.close();
    await assert.rejects(rendio.credits(), ConnectionError);
    assert.deepEqual(await readStored<StoredSession>(storage, 'session'), before);
    proxy.open();
    assert.equal(await rendio.credits(), 10);
    assert.equal(await rendio.accountId(), user_id);
  });

  test('whose answer is lost continues with the same session', async () => {
    const { rendio } = await newClient(proxy.url);
    const storage = memoryStorage();
    const lost = createClient({ url: proxy.url, storage });
    const { user_id } = await lost.onboard();
    await change(storage, EXPIRED);
    proxy.cutNext('/auth/v1/token', { part: 'answer', share: 0.5 });
    await assert.rejects(lost.credits(), ConnectionError);
    assert.equal(await lost.credits(), 10);
    assert.equal(await lost.accountId(), user_id);
    assert.notEqual(await rendio.accountId(), user_id);
  });

  for (const [what, answer] of Object.entries({
    'a failing server': () => Response.json({ code: 503, error_code: 'unexpected_failure' }, { status: 503 }),
    'a rate limit': () => Response.json({ code: 429, error_code: 'over_request_rate_limit' }, { status: 429 }),
    'a proxy’s error page': () => new Response('<h1>Forbidden</h1>', { status: 403 }),
    'a gateway without our key': () => Response.json({ message: 'No API key found in request' }, { status: 401 }),
    'a hotel’s login page': () => new Response('<h1>Welcome</h1>', { headers: { 'Content-Type': 'text/html' } }),
  })) {
    test(`that meets ${what} keeps the user signed in`, async () => {
      let isIntercepted = false;
      const { rendio, storage, calls } = await newClient(server.url, memoryStorage(), (next) => async (input, init) => {
        const response = await next(input, init);
        return isIntercepted && String(input).includes('/auth/v1/token') ? answer() : response;
      });
      const { user_id } = await rendio.onboard();
      await change(storage, { access_token: 'invalid' });
      isIntercepted = true;
      await assert.rejects(rendio.credits());
      isIntercepted = false;
      assert.equal(await rendio.credits(), 10);
      assert.equal(await rendio.accountId(), user_id);
      assert.equal(onboardings(calls).length, 1);
    });
  }

  test('that the server rejects signs the same device in again', async () => {
    const { rendio, storage, calls } = await newClient(server.url);
    const { user_id } = await rendio.onboard();
    await change(storage, { ...EXPIRED, refresh_token: 'unknown' });
    assert.equal(await rendio.credits(), 10);
    assert.deepEqual([onboardings(calls).length, await rendio.accountId()], [2, user_id]);
  });

  test('that the server rejects does not turn a signed-in user into a guest', async () => {
    const { rendio, storage, calls } = await newClient(server.url);
    await rendio.onboard();
    await change(storage, { ...EXPIRED, refresh_token: 'unknown', is_guest: false });
    const signedOut = { name: 'SignedOutError', reason: 'ended', code: 'refresh_token_not_found', status: 401 };
    for (let tries = 0; tries < 2; tries += 1) await assert.rejects(rendio.credits(), signedOut);
    assert.deepEqual([renewals(calls).length, onboardings(calls).length], [1, 1]);
  });

  test('continues for the other calls when one of them is aborted', async () => {
    const { rendio, storage, calls } = await newClient(server.url);
    await rendio.onboard();
    await change(storage, EXPIRED);
    const controller = new AbortController();
    const aborted = rendio.credits({ signal: controller.signal });
    const others = [rendio.credits(), rendio.credits()];
    controller.abort(new Error('left'));
    await assert.rejects(aborted, { message: 'left' });
    assert.deepEqual(await Promise.all(others), [10, 10]);
    assert.equal(renewals(calls).length, 1);
  });
});

describe('a device', () => {
  test('that is rejected gets an error in the client’s language', async () => {
    const device = () => ({ device_id: 'a broken phone', device_token: btoa('invalid') });
    for (const [language, pattern] of [['en', /device/i] as const, ['tr', /cihaz/i] as const]) {
      const rendio = createClient({ url: server.url, storage: memoryStorage(), device, language });
      const error = await rendio.credits().catch((thrown: unknown) => thrown);
      assert.ok(error instanceof RendioError);
      assert.deepEqual([error.code, error.status], ['ERR_4010', 403]);
      assert.match(error.message, pattern);
      assert.match(error.requestId ?? '', /^[\w.-]{8,128}$/);
    }
  });

  test('is not checked where the client only uses a given session', async () => {
    const { rendio: phone, storage } = await newClient(server.url);
    const { user_id } = await phone.onboard();
    const rendio = createClient({ url: server.url, storage: memoryStorage(), device: null });
    await assert.rejects(rendio.credits(), { name: 'SignedOutError', status: 401 });
    const session = await readStored<StoredSession>(storage, 'session');
    assert.ok(session);
    const given = await fetch(`${server.url}/auth/v1/token?grant_type=refresh_token`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ refresh_token: session.refresh_token }),
    });
    await rendio.useSession(await given.json());
    assert.deepEqual([await rendio.credits(), await rendio.accountId()], [10, user_id]);
  });

  test('that is forgotten becomes another guest', async () => {
    const { rendio } = await newClient(server.url);
    const { user_id } = await rendio.onboard();
    await rendio.forget();
    assert.equal(await rendio.accountId(), null);
    const next = await rendio.onboard();
    assert.notEqual(next.user_id, user_id);
    assert.equal(next.is_new, true);
  });
});

describe('a storage', () => {
  const broken = () => {
    throw new DOMException('no room', 'QuotaExceededError');
  };

  test('that throws is not needed', async () => {
    const { rendio, calls, modelId } = await newClient(server.url, { get: broken, set: broken, remove: broken });
    const { user_id } = await rendio.onboard();
    const { job_id } = await rendio.submit({ model_id: modelId, prompt: 'kept in mind [sandbox:fail]' });
    assert.equal((await rendio.jobs()).jobs[0]?.job_id, job_id);
    assert.deepEqual([await rendio.accountId(), onboardings(calls).length], [user_id, 1]);
  });

  test('that is full does not restore an old session', async () => {
    const inner = memoryStorage();
    let isFull = false;
    const storage: Storage = { ...inner, set: (key, value) => (isFull ? broken() : inner.set(key, value)) };
    const { rendio, calls } = await newClient(server.url, storage);
    await rendio.onboard();
    await change(storage, EXPIRED);
    isFull = true;
    await rendio.credits();
    await rendio.credits();
    assert.equal(renewals(calls).length, 1);
  });

  test('may be slow', async () => {
    const inner = memoryStorage();
    const later = <Value>(value: Value) => new Promise<Value>((resolve) => setImmediate(resolve, value));
    const slow: Storage = {
      get: async (key) => later(await inner.get(key)),
      set: async (key, value) => later(await inner.set(key, value)),
      remove: async (key) => later(await inner.remove(key)),
    };
    const { rendio, calls } = await newClient(server.url, slow);
    await Promise.all([rendio.credits(), rendio.jobs(), rendio.profile()]);
    assert.equal(onboardings(calls).length, 1);
  });
});
