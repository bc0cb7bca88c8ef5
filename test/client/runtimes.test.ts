/** The client where a runtime lacks what browsers and Node have, such as React Native; and several clients in one process. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { createClient, memoryStorage } from '../../client/src/index.ts';
import { type SharedServer, useSharedServer } from '../support/server-on-database.ts';
import { makeImage } from '../support/upload-images.ts';
import { DECLINED, newClient, readStored, sandboxModel } from './support.ts';

let server: SharedServer;
before(async () => {
  server = await useSharedServer();
});
after(() => server?.stop());

/** Node without what React Native, older Safari or older Node do not have, before the client is loaded. */
const BARE = `
// Node's own fetch needs what is deleted below: it is loaded before, and not given a signal.
const nodeFetch = globalThis.fetch;
await nodeFetch('data:,');
globalThis.fetch = (url, { signal, ...init }) =>
  new Promise((resolve, reject) => {
    signal?.addEventListener('abort', () => reject(Object.assign(new Error('Aborted'), { name: 'AbortError' })));
    nodeFetch(url, init).then(resolve, reject);
  });
for (const name of ['DOMException', 'BroadcastChannel', 'structuredClone', 'crypto', 'btoa', 'URLSearchParams', 'navigator'])
  delete globalThis[name];
for (const name of ['reason', 'throwIfAborted']) delete AbortSignal.prototype[name];
for (const name of ['timeout', 'any', 'abort']) delete AbortSignal[name];
delete Array.prototype.findLast;
delete Blob.prototype.arrayBuffer;
delete Response.prototype.body;
const { createClient, ConnectionError, GenerationError } = await import('./client/src/index.ts');
`;

/** Runs a program in a bare runtime; the JSON that it prints. */
async function runBare(program: string): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', BARE + program]);
  return JSON.parse(stdout);
}

describe('in a bare runtime', { concurrency: true }, () => {
  test('a request times out, and can be aborted', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    assert.ok(address && typeof address === 'object');
    try {
      const seen = await runBare(`
        const rendio = createClient({ url: 'http://127.0.0.1:${address.port}', timeoutMs: 300 });
        const late = await rendio.models().catch((error) => error);
        const aborting = new AbortController();
        const aborted = rendio.models({ signal: aborting.signal }).catch((error) => error.name);
        aborting.abort();
        const already = await rendio.uploads.get('a', { signal: aborting.signal }).catch((error) => error.name);
        console.log(JSON.stringify([late instanceof ConnectionError, await aborted, already]));
        process.exit();
      `);
      assert.deepEqual(seen, [true, 'AbortError', 'AbortError']);
    } finally {
      silent.close();
    }
  });

  test('a video is paid for and followed to its end, an image uploaded, and events are polled', async () => {
    const model_id = await sandboxModel(server.url);
    const png = makeImage('png').toString('base64');
    const seen = await runBare(`
      const rendio = createClient({ url: '${server.url}' });
      const states = new Set();
      const events = [];
      const stop = rendio.subscribe({ onState: (state) => states.add(state), onEvent: ({ type }) => events.push(type) });
      const image = new Blob([Uint8Array.from(atob('${png}'), (letter) => letter.charCodeAt(0))], { type: 'image/png' });
      const { path } = await rendio.uploads.put(image, { name: 'a-picture.png' });
      const error = await rendio
        .generate({ model_id: '${model_id}', prompt: 'a bare runtime ${DECLINED}' })
        .catch((thrown) => thrown);
      const { transactions } = await rendio.creditHistory({ limit: 3 });
      while (!events.includes('failed')) await new Promise((resolve) => setTimeout(resolve, 20));
      stop();
      console.log(JSON.stringify({
        uploaded: path.split('/')[1],
        failed: error instanceof GenerationError ? error.code : String(error),
        changes: transactions.map(({ change }) => change),
        isLive: states.has('live'),
        credits: await rendio.credits(),
      }));
      process.exit();
    `);
    assert.deepEqual(seen, {
      uploaded: 'a-picture.png',
      failed: 'ERR_5003',
      changes: [1, -1, 10],
      isLive: false,
      credits: 10,
    });
  });
});

test('in a bare runtime sessions are listed, the account exported and deleted, and listeners told', async () => {
  const seen = await runBare(`
    const { SignedOutError } = await import('./client/src/index.ts');
    const rendio = createClient({ url: '${server.url}' });
    const reasons = [];
    rendio.onSessionChange(({ reason }) => reasons.push(reason));
    await rendio.onboard();
    await rendio.signOut();
    await rendio.onboard();
    const sessions = await rendio.sessions();
    const { user } = await (await rendio.exportAccount()).json();
    await rendio.deleteAccount();
    const error = await rendio.credits().catch((thrown) => thrown);
    const isOver = error instanceof SignedOutError && error.reason;
    console.log(JSON.stringify({ reasons, sessions: sessions.length, credits: user.credits_remaining, isOver }));
    process.exit();
  `);
  const reasons = ['onboarded', 'signed_out', 'onboarded', 'deleted'];
  assert.deepEqual(seen, { reasons, sessions: 1, credits: 10, isOver: 'deleted' });
});

describe('two clients of one process', () => {
  test('have an account each, with a session that was given to each', async () => {
    const sessionOf = async () => {
      const { rendio, storage } = await newClient(server.url);
      const { user_id } = await rendio.onboard();
      const stored = await readStored<{ refresh_token: string }>(storage, 'session');
      const answer = await fetch(`${server.url}/auth/v1/token?grant_type=refresh_token`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ refresh_token: stored?.refresh_token }),
      });
      return { user_id, session: await answer.json() };
    };
    const [one, two] = [await sessionOf(), await sessionOf()];
    const clients = [createClient({ url: server.url, device: null }), createClient({ url: server.url, device: null })];
    await clients[0]?.useSession(one.session);
    await clients[1]?.useSession(two.session);
    const ids = await Promise.all(clients.map(async (client) => (await client.profile()).id));
    assert.deepEqual(ids, [one.user_id, two.user_id]);
  });

  test('have a guest each without a storage, and one guest with the same storage', async () => {
    const onboard = async (storage?: ReturnType<typeof memoryStorage>) =>
      (await createClient({ url: server.url, ...(storage && { storage }) }).onboard()).user_id;
    assert.notEqual(await onboard(), await onboard());
    const storage = memoryStorage();
    assert.equal(await onboard(storage), await onboard(storage));
  });
});
