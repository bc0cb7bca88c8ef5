/** What the client does about time: how soon it comes back, how long it waits for others. The clock is the test's. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { delay } from '../../client/src/http/timers.ts';
import { createClient, memoryStorage } from '../../client/src/index.ts';
import { createLock } from '../../client/src/session/lock.ts';
import { writeStored } from './support.ts';

/** Lets the mocked time pass in steps, with everything that follows from each. */
async function pass(t: TestContext, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    t.mock.timers.tick(100);
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A client with a session, of a server whose streams last `lastMs`; counts them. */
async function clientOfStreams(lastMs: number) {
  const storage = memoryStorage();
  const session = { access_token: 'a', refresh_token: 'r', expires_at: Date.now() / 1000 + 3600, user_id: 'u' };
  await writeStored(storage, 'session', session);
  let opened = 0;
  const fetch = async (url: unknown): Promise<Response> => {
    if (!String(url).endsWith('/job-events')) return Response.json({ jobs: [], transactions: [] });
    opened += 1;
    return new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(': \n\n'));
          setTimeout(() => controller.close(), lastMs);
        },
      }),
    );
  };
  const rendio = createClient({ url: 'http://server.test', storage, fetch });
  return { rendio, opened: () => opened };
}

test('an event stream that the server ends again and again, because the account has more, is opened ever more rarely', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const { rendio, opened } = await clientOfStreams(200);
  const stop = rendio.subscribe({});
  await pass(t, 60_000);
  stop();
  assert.ok(opened() >= 4 && opened() <= 9, `${opened()} streams in a minute`);
});

test('a wait longer than a timer can be is not over at once', (t) => {
  const timer = t.mock.method(globalThis, 'setTimeout');
  const controller = new AbortController();
  delay(1e10, controller.signal);
  controller.abort();
  assert.ok(Number(timer.mock.calls[0]?.arguments[1]) < 2 ** 31);
});

test('a tab that was frozen while it held the lock does not stop the others for ever', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const request = (_name: string, { signal }: LockOptions) =>
    new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
  const globals = { document: {}, navigator: { locks: { request } } };
  const before = Object.keys(globals).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const);
  for (const [name, value] of Object.entries(globals))
    Object.defineProperty(globalThis, name, { value, configurable: true });
  try {
    const renewed = createLock(memoryStorage())('session', async () => 'renewed');
    await pass(t, 31_000);
    assert.equal(await renewed, 'renewed');
  } finally {
    for (const [name, descriptor] of before) {
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
      else Reflect.deleteProperty(globalThis, name);
    }
  }
});
