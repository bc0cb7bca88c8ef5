/** Sign in with Apple, sessions, signing out, export and deletion: what is under way continues, and nothing opens a guest unasked. */
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import {
  ConnectionError,
  createClient,
  type FeedState,
  type JobEvent,
  memoryStorage,
  type RendioClient,
  RendioError,
  type SessionChange,
  SignedOutError,
  type Storage,
} from '../../client/src/index.ts';
import { type AppleServer, startAppleServer } from '../support/apple-server.ts';
import { createCuttingProxy } from '../support/cutting-proxy.ts';
import { type SharedServer, startServerOnDatabase } from '../support/server-on-database.ts';
import { DECLINED, ENDLESS, type Guest, newClient, readStored, type Seen, until, writeStored } from './support.ts';

let apple: AppleServer;
let server: SharedServer;
before(async () => {
  apple = await startAppleServer();
  server = await startServerOnDatabase({ env: { ...apple.env, RATE_LIMIT_ONBOARDING_PER_HOUR: '10000' } });
});
after(async () => {
  await server?.stop();
  await apple?.[Symbol.asyncDispose]();
});

const newSub = () => `001.${randomUUID()}`;

/** What Apple gives an app for this person. */
async function proofOf(sub: string, nonce = randomUUID() as string) {
  const hashed = createHash('sha256').update(nonce).digest('hex');
  return { identityToken: await apple.identityToken({ sub, nonce: hashed, email: `${sub}@example.com` }), nonce };
}

/** A phone of an Apple user who has been a guest there before. */
async function phoneOf(sub: string): Promise<Guest> {
  const phone = await newClient(server.url);
  await phone.rendio.onboard();
  await phone.rendio.mergeGuest(await proofOf(sub));
  return phone;
}

/** Another device, where the user has signed in and was no guest. */
async function secondDeviceOf(sub: string): Promise<Guest> {
  const device = await newClient(server.url);
  await device.rendio.signInWithApple(await proofOf(sub));
  return device;
}

function listen(rendio: RendioClient) {
  const events: JobEvent[] = [];
  const states: FeedState[] = [];
  const errors: unknown[] = [];
  const stop = rendio.subscribe({
    onEvent: (event) => events.push(event),
    onState: (state, error) => {
      states.push(state);
      errors.push(error);
    },
  });
  return { events, states, errors, [Symbol.dispose]: stop };
}

function changesOf(rendio: RendioClient): SessionChange[] {
  const changes: SessionChange[] = [];
  rendio.onSessionChange((change) => changes.push(change));
  return changes;
}

const to = (calls: Seen[], name: string) => calls.filter(({ path }) => path.includes(name));
const isLive = (feed: { states: FeedState[] }) => feed.states.at(-1) === 'live';
const endOf = (jobId: string) => (event: JobEvent) =>
  (event.type === 'completed' || event.type === 'failed') && event.job_id === jobId;
const session = (storage: Storage) =>
  readStored<{ access_token?: string; refresh_token?: string; ended?: string }>(storage, 'session');

describe('a guest who signs in with Apple', { concurrency: 4 }, () => {
  test('keeps the account, in all clients of the storage, with one session', async () => {
    const { rendio, storage } = await newClient(server.url);
    const { rendio: tab } = await newClient(server.url, storage);
    const { user_id } = await rendio.onboard();
    const [here, there] = [changesOf(rendio), changesOf(tab)];
    const sub = newSub();
    const profile = await rendio.mergeGuest(await proofOf(sub));
    assert.deepEqual(
      [profile.id, profile.apple_sub, profile.is_guest, profile.credits_remaining],
      [user_id, sub, false, 10],
    );
    const expected = { reason: 'merged', accountId: user_id, isGuest: false };
    assert.deepEqual([here, there], [[expected], [expected]]);
    assert.equal((await tab.profile()).apple_sub, sub);
    await until('the guest’s session has ended', async () => (await tab.sessions()).length === 1);
    assert.equal((await rendio.sessions())[0]?.is_current, true);
  });

  test('is merged into the account of the Apple user, and requests under way continue', async () => {
    const sub = newSub();
    const first = await phoneOf(sub);
    const survivor = await first.rendio.accountId();
    const release = Promise.withResolvers<void>();
    let isHeld = true;
    const guest = await newClient(server.url, memoryStorage(), (next) => async (input, init) => {
      const response = await next(input, init);
      if (!isHeld || !String(init?.body).includes('in the air')) return response;
      // The request has arrived, and its answer is lost after the merge.
      isHeld = false;
      await release.promise;
      throw new TypeError('cut');
    });
    const { rendio, modelId } = guest;
    await rendio.onboard();
    const running = await rendio.submit({ model_id: modelId, prompt: ENDLESS });
    const followed = rendio.follow(running.job_id).catch((error: unknown) => error);
    const submitted = rendio.submit({ model_id: modelId, prompt: `${ENDLESS} in the air` });
    submitted.catch(() => {});
    await until('it is charged', async () => (await rendio.credits()) === 8);
    await rendio.mergeGuest(await proofOf(sub));
    release.resolve();
    const { job_id } = await submitted;
    assert.equal(await rendio.accountId(), survivor);
    assert.equal(await first.rendio.credits(), 18);
    const ids = (await first.rendio.jobs()).jobs.map((job) => job.job_id);
    assert.deepEqual(new Set(ids), new Set([running.job_id, job_id]));
    for (const id of ids) await first.rendio.cancel(id);
    assert.ok((await followed) instanceof RendioError);
    assert.equal(await rendio.credits(), 20);
  });

  test('gets no second video for a request whose answer was lost before the merge', async () => {
    const sub = newSub();
    await phoneOf(sub);
    let isCut = true;
    const guest = await newClient(server.url, memoryStorage(), (next) => async (input, init) => {
      const response = await next(input, init);
      if (isCut && String(input).includes('generate-video')) throw new TypeError('cut');
      return response;
    });
    const { rendio, modelId } = guest;
    await rendio.onboard();
    const request = { model_id: modelId, prompt: DECLINED };
    await assert.rejects(rendio.submit(request, { patienceMs: 0 }), ConnectionError);
    isCut = false;
    await rendio.mergeGuest(await proofOf(sub));
    const unanswered = await rendio.unanswered();
    assert.deepEqual(unanswered?.request, request);
    const { job_id } = await rendio.submit(request);
    const { jobs } = await rendio.jobs();
    assert.deepEqual(
      jobs.map((job) => job.job_id),
      [job_id],
    );
    assert.equal(await rendio.unanswered(), null);
  });

  test('misses no event and gets none twice, and is shown the running videos of both accounts', async () => {
    const sub = newSub();
    const first = await phoneOf(sub);
    const theirs = await first.rendio.submit({ model_id: first.modelId, prompt: ENDLESS });
    const { rendio, modelId } = await newClient(server.url);
    await rendio.onboard();
    using feed = listen(rendio);
    await until('the stream is open', () => isLive(feed));
    const ours = await rendio.submit({ model_id: modelId, prompt: ENDLESS });
    await until('it has begun', () => feed.events.some(({ type }) => type === 'processing'));
    const opened = feed.states.filter((state) => state === 'live').length;
    await rendio.mergeGuest(await proofOf(sub));
    await until('another stream is open', () => feed.states.filter((state) => state === 'live').length > opened);
    const other = await first.rendio.submit({ model_id: first.modelId, prompt: DECLINED });
    for (const { job_id } of [ours, theirs]) await first.rendio.cancel(job_id);
    for (const { job_id } of [ours, theirs, other]) {
      await until('its end arrives', () => feed.events.some(endOf(job_id)));
      assert.equal(feed.events.filter(endOf(job_id)).length, 1);
    }
    await until('their video was shown as running', () =>
      feed.events.some(
        (event) => event.type !== 'credits' && event.job_id === theirs.job_id && !endOf(theirs.job_id)(event),
      ),
    );
    const states = feed.events.flatMap((event) => {
      if (event.type === 'credits' || event.job_id !== ours.job_id) return [];
      return [event.type === 'processing' ? `${event.progress} ${event.queue_position}` : event.type];
    });
    assert.deepEqual(states, [...new Set(states)]);
    const paid = feed.events.flatMap((event) => (event.type === 'credits' ? [event.transaction_id] : []));
    assert.equal(new Set(paid).size, paid.length);
    assert.ok(
      feed.events.some((event) => event.type === 'credits' && event.reason === 'account_merge' && event.change > 0),
    );
  });

  test('is merged once when the answer is lost, and continues with the survivor’s session', async () => {
    await using proxy = await createCuttingProxy(server.url);
    const sub = newSub();
    const first = await phoneOf(sub);
    const rendio = createClient({ url: proxy.url, storage: memoryStorage() });
    await rendio.onboard();
    proxy.cutNext('/merge-guest-user', { part: 'answer', share: 0.5 });
    const profile = await rendio.mergeGuest(await proofOf(sub));
    assert.deepEqual([profile.id, profile.credits_remaining], [await first.rendio.accountId(), 20]);
  });

  test('is told when no answer ever came, although the merge has happened', async () => {
    const sub = newSub();
    const first = await phoneOf(sub);
    const { rendio, storage } = await newClient(server.url);
    await rendio.onboard();
    const changes = changesOf(rendio);
    // The merge is done, but this client knows nothing of it.
    const { identityToken: identity_token, nonce } = await proofOf(sub);
    const stored = await session(storage);
    const headers = { Authorization: `Bearer ${stored?.access_token}`, 'Content-Type': 'application/json' };
    const body = JSON.stringify({ identity_token, nonce });
    await fetch(`${server.url}/functions/v1/merge-guest-user`, { method: 'POST', headers, body });
    assert.equal(await rendio.credits(), 20);
    await writeStored(storage, 'session', { ...stored, expires_at: 1 });
    assert.equal((await rendio.profile()).apple_sub, sub);
    const accountId = await first.rendio.accountId();
    assert.deepEqual(changes, [{ reason: 'merged', accountId, isGuest: false }]);
  });

  test('and whose token proves nothing stays a guest', async () => {
    const { rendio, storage, calls } = await newClient(server.url);
    await rendio.onboard();
    const stored = await session(storage);
    for (const [proof, code, message] of [
      [{ identityToken: await apple.foreignToken() }, 'invalid request', 'Bad ID token'],
      [{ ...(await proofOf(newSub())), nonce: 'another' }, 'invalid nonce', 'Nonces mismatch'],
    ] as const) {
      await assert.rejects(rendio.mergeGuest(proof), { name: 'RendioError', code: 'ERR_4005', status: 401 });
      await assert.rejects(rendio.signInWithApple(proof), { name: 'RendioError', code, status: 400, message });
    }
    assert.deepEqual(await session(storage), stored);
    // Neither repeated nor answered by a renewal of the session.
    assert.deepEqual([to(calls, 'merge-guest-user').length, to(calls, 'grant_type=refresh').length], [2, 0]);
  });
});

describe('an Apple user', { concurrency: 4 }, () => {
  test('finds the account on a new device, without a guest, and Apple’s code is exchanged', async () => {
    const sub = newSub();
    const first = await phoneOf(sub);
    const { rendio, calls } = await newClient(server.url);
    const changes = changesOf(rendio);
    const exchanged = () => apple.calls.filter(({ form }) => form.get('code') === sub).length;
    const user = await rendio.signInWithApple({ ...(await proofOf(sub)), authorizationCode: sub });
    assert.deepEqual(
      [user.id, user.is_anonymous, user.email],
      [await first.rendio.accountId(), false, `${sub}@example.com`],
    );
    assert.deepEqual([await rendio.credits(), to(calls, 'device-check').length, exchanged()], [10, 0, 1]);
    assert.deepEqual(changes, [{ reason: 'signed_in', accountId: user.id, isGuest: false }]);
    await until('there is one session for each device', async () => (await rendio.sessions()).length === 2);
  });

  test('who signs out elsewhere is told apart from a lost connection, and does not become a guest', async () => {
    const sub = newSub();
    const { rendio, storage, calls } = await phoneOf(sub);
    const other = await secondDeviceOf(sub);
    const changes = changesOf(rendio);
    using feed = listen(rendio);
    await until('the stream is open', () => isLive(feed));
    await other.rendio.signOut({ scope: 'others' });
    await until('the listeners know it', () => feed.states.at(-1) === 'offline' && changes.length > 0);
    const error = feed.errors.at(-1);
    assert.ok(error instanceof SignedOutError);
    assert.deepEqual([error.reason, error.code, error.status], ['ended', 'session_not_found', 401]);
    assert.deepEqual(changes, [{ reason: 'ended', accountId: null, isGuest: null }]);
    const requests = calls.length;
    await assert.rejects(rendio.credits(), { name: 'SignedOutError', reason: 'ended', code: 'session_not_found' });
    assert.equal(calls.length, requests);
    assert.deepEqual([to(calls, 'device-check').length, (await session(storage))?.access_token], [1, undefined]);
    assert.equal((await other.rendio.sessions()).length, 1);
    await rendio.signInWithApple(await proofOf(sub));
    await until('events arrive again', () => isLive(feed));
  });

  test('who signs in with another client of the storage takes the open feeds along', async () => {
    const sub = newSub();
    const phone = await phoneOf(sub);
    const { rendio, storage } = await newClient(server.url);
    const { rendio: tab } = await newClient(server.url, storage);
    await rendio.onboard();
    using feed = listen(rendio);
    await until('the stream is open', () => isLive(feed));
    await tab.signInWithApple(await proofOf(sub));
    const { job_id } = await phone.rendio.submit({ model_id: phone.modelId, prompt: DECLINED });
    await until('its end arrives', () => feed.events.some(endOf(job_id)));
  });

  test('ends one session from the list', async () => {
    const sub = newSub();
    const phone = await phoneOf(sub);
    const other = await secondDeviceOf(sub);
    const list = await phone.rendio.sessions();
    const lost = list.find(({ is_current }) => !is_current);
    assert.ok(lost);
    await phone.rendio.revokeSession(lost.id);
    await phone.rendio.revokeSession(lost.id);
    await assert.rejects(other.rendio.credits(), SignedOutError);
    await assert.rejects(phone.rendio.revokeSession(randomUUID()), { code: 'ERR_4007', status: 404 });
    assert.equal((await phone.rendio.sessions()).length, 1);
  });

  test('who signs out everywhere has no session left, and gets a guest only by asking', async () => {
    const sub = newSub();
    const { rendio, calls, storage } = await phoneOf(sub);
    const other = await secondDeviceOf(sub);
    const changes = changesOf(rendio);
    using feed = listen(rendio);
    await until('the stream is open', () => isLive(feed));
    await rendio.signOut({ scope: 'global' });
    assert.deepEqual(changes, [{ reason: 'signed_out', accountId: null, isGuest: null }]);
    await assert.rejects(rendio.credits(), { name: 'SignedOutError', reason: 'signed_out', code: '' });
    await assert.rejects(other.rendio.credits(), SignedOutError);
    await until('the feed knows it', () => feed.states.at(-1) === 'offline');
    assert.equal(to(calls, 'device-check').length, 1);
    assert.equal((await session(storage))?.refresh_token, undefined);
    await rendio.signOut();
    const fresh = await rendio.onboard();
    assert.deepEqual([fresh.is_new, fresh.credits_remaining], [true, 0]);
    await until('events arrive again', () => isLive(feed));
  });
});

describe('a guest', { concurrency: 4 }, () => {
  test('who signs out comes back to the same account on the device', async () => {
    const { rendio } = await newClient(server.url);
    const { user_id } = await rendio.onboard();
    await rendio.signOut();
    await assert.rejects(rendio.jobs(), SignedOutError);
    assert.equal(await rendio.accountId(), null);
    assert.deepEqual(await rendio.onboard(), { user_id, credits_remaining: 10, is_new: false });
    assert.equal((await rendio.sessions()).length, 1);
  });

  test('who signs out without a connection is signed out here, and told that the server does not know', async () => {
    await using proxy = await createCuttingProxy(server.url);
    const storage = memoryStorage();
    const rendio = createClient({ url: proxy.url, storage });
    await rendio.onboard();
    proxy.close();
    await assert.rejects(rendio.signOut(), ConnectionError);
    assert.deepEqual(await session(storage), { ended: 'signed_out' });
    proxy.open();
    await assert.rejects(rendio.credits(), SignedOutError);
  });

  test('whose deletion gets no answer stays', async () => {
    await using proxy = await createCuttingProxy(server.url);
    const storage = memoryStorage();
    const rendio = createClient({ url: proxy.url, storage });
    await rendio.onboard();
    const stored = await session(storage);
    proxy.close();
    await assert.rejects(rendio.deleteAccount(), ConnectionError);
    assert.deepEqual(await session(storage), stored);
    proxy.open();
    assert.equal(await rendio.credits(), 10);
  });
});

describe('deleting the account', { concurrency: 4 }, () => {
  test('removes what is stored here and tells the listeners, and no open stream makes a new guest', async () => {
    const { rendio, storage, calls, modelId } = await newClient(server.url);
    const { rendio: tab } = await newClient(server.url, storage);
    await rendio.onboard();
    await rendio.submit({ model_id: modelId, prompt: ENDLESS });
    await writeStored(storage, 'pending', [
      { key: 'k', request: {}, account: await rendio.accountId(), at: Date.now() },
    ]);
    const changes = changesOf(tab);
    using feed = listen(rendio);
    using other = listen(tab);
    await until('both streams are open', () => isLive(feed) && isLive(other));
    await rendio.deleteAccount();
    assert.deepEqual(changes, [{ reason: 'deleted', accountId: null, isGuest: null }]);
    assert.deepEqual(await session(storage), { ended: 'deleted' });
    assert.equal(await readStored(storage, 'pending'), null);
    await until('both feeds know it', () => [feed, other].every(({ states }) => states.at(-1) === 'offline'));
    for (const client of [rendio, tab]) await assert.rejects(client.credits(), { reason: 'deleted' });
    await assert.rejects(rendio.deleteAccount(), SignedOutError);
    assert.equal(to(calls, 'device-check').length, 1);
    const fresh = await rendio.onboard();
    assert.deepEqual([fresh.is_new, fresh.credits_remaining], [true, 0]);
  });

  test('lets no call of another tab open a guest while it is under way', async () => {
    const release = Promise.withResolvers<void>();
    const { rendio, storage } = await newClient(server.url, memoryStorage(), (next) => async (input, init) => {
      const response = await next(input, init);
      if (String(input).endsWith('delete-account')) await release.promise;
      return response;
    });
    const { rendio: tab, calls } = await newClient(server.url, storage);
    await rendio.onboard();
    const { access_token } = (await session(storage)) ?? {};
    const deleting = rendio.deleteAccount();
    const headers = { Authorization: `Bearer ${access_token}` };
    const status = async () => (await fetch(`${server.url}/functions/v1/get-user-credits`, { headers })).status;
    await until('the server has deleted the account', async () => (await status()) === 401);
    const refused = assert.rejects(tab.credits(), { name: 'SignedOutError', reason: 'deleted' });
    await until('the other tab is refused', () => to(calls, 'get-user-credits').some(({ isAnswered }) => isAnswered));
    // Longer than renewing and onboarding would take.
    for (let requests = 0; requests < 10; requests += 1) await fetch(`${server.url}/functions/v1/get-models`);
    release.resolve();
    await Promise.all([deleting, refused]);
    assert.deepEqual([to(calls, 'device-check').length, await session(storage)], [0, { ended: 'deleted' }]);
  });

  test('succeeds when its answer is lost', async () => {
    await using proxy = await createCuttingProxy(server.url);
    const storage = memoryStorage();
    const rendio = createClient({ url: proxy.url, storage });
    await rendio.onboard();
    const { access_token } = (await session(storage)) ?? {};
    proxy.cutNext('/delete-account', { part: 'answer', share: 0.5 });
    await rendio.deleteAccount();
    assert.deepEqual(await session(storage), { ended: 'deleted' });
    const headers = { Authorization: `Bearer ${access_token}` };
    assert.equal((await fetch(`${server.url}/functions/v1/get-user-credits`, { headers })).status, 401);
  });
});

test('the export has the account’s data, as a response that was not read', async () => {
  const { rendio, modelId } = await newClient(server.url);
  const { user_id } = await rendio.onboard();
  const { job_id } = await rendio.submit({ model_id: modelId, prompt: `my own words ${DECLINED}` });
  const response = await rendio.exportAccount();
  assert.equal(response.bodyUsed, false);
  const document = await response.json();
  assert.equal(document.user.id, user_id);
  assert.deepEqual(
    document.jobs.map((job: { job_id: string; prompt: string }) => [job.job_id, job.prompt]),
    [[job_id, `my own words ${DECLINED}`]],
  );
  assert.equal(document.sessions.length, 1);
});
