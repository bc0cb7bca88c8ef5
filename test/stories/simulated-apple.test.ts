/** A server in its default configuration: people sign in with the simulated Apple, which tells it what happens to their accounts. */
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { type CallOptions, call } from '../acceptance/support/api.ts';
import { type Guest, newGuest } from '../acceptance/support/guest.ts';
import { until } from '../acceptance/support/until.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { startTestServer, startTestWorker, type TestServer } from '../support/server.ts';

type Authorized = { sub: string; email: string; identityToken: string; authorizationCode: string };
type Person = { id: string; grants: { exchangedAtMs: number | null; ended: { by: string } | null }[] };
type Merged = { user: { id: string; apple_sub: string; email: string }; session: { access_token: string } };

let database: TestDatabase;
let server: TestServer;
before(async () => {
  database = await createTestDatabase();
  server = await startTestServer({ env: { DATABASE_URL: database.url } });
});
after(async () => {
  await server?.stop();
  await database?.[Symbol.asyncDispose]();
});

async function control<Body>(path: string, body?: unknown, at = server): Promise<Body> {
  const reply = await call<Body>(at.url, body === undefined ? 'GET' : 'POST', `/dev/apple/control/${path}`, { body });
  assert.equal(reply.status, 200, reply.text);
  return reply.body;
}

async function newPerson(name = 'Cem'): Promise<string> {
  return (await control<Person>('people', { name, email: `${name}@example.com` })).id;
}

async function shown(personId: string, at = server): Promise<Person> {
  return (await control<Person[]>('people', undefined, at)).find(({ id }) => id === personId) ?? assert.fail('gone');
}

/** Signs in as an app does, and makes the guest's account that of the person. */
async function merge(guest: Guest, personId: string, at = server): Promise<Merged & { authorized: Authorized }> {
  const nonce = randomUUID();
  const hashed = createHash('sha256').update(nonce).digest('hex');
  const authorized = await control<Authorized>('authorizations', { personId, nonce: hashed, hidesEmail: true }, at);
  const { identityToken: identity_token, authorizationCode: authorization_code } = authorized;
  const reply = await guest.post<Merged>('merge-guest-user', { identity_token, nonce, authorization_code });
  assert.equal(reply.status, 200, reply.text);
  return { ...reply.body, authorized };
}

const balanceStatus = async (token: string) => (await call(server.url, 'GET', 'get-user-credits', { token })).status;
const settings = async (url: string, options?: CallOptions) =>
  (await call(url, 'GET', '/auth/v1/settings', options)).body;

test('the banner names Sign in with Apple among the simulated vendors, and the settings say where to sign in', async () => {
  assert.match(server.output(), /simulated +.*\bDeviceCheck, .*\bSign in with Apple\b/);
  const { external, apple_authorize_url } = await settings(server.url);
  assert.equal(Object(external).apple, true);
  assert.equal(apple_authorize_url, '/dev/apple/authorize?client_id=dev.rendio.app');
});

test('a guest becomes the account of a simulated person, whose tokens are revoked when the account is deleted', async () => {
  const guest = await newGuest(server.url);
  const personId = await newPerson();
  const { user, session, authorized } = await merge(guest, personId);
  assert.deepEqual([user.id, user.apple_sub, user.email], [guest.userId, authorized.sub, authorized.email]);
  assert.notEqual((await shown(personId)).grants[0]?.exchangedAtMs, null);
  const again = await newGuest(server.url);
  assert.equal((await merge(again, personId)).user.id, guest.userId, 'the other guest is merged into it');

  // Apple is down for a moment: the queue asks again.
  const fault = { on: 'revoke', reply: { status: 503 } };
  assert.equal((await call(server.url, 'POST', '/dev/apple/control/faults', { body: fault })).status, 204);
  const token = session.access_token;
  const deleted = await call(server.url, 'POST', 'delete-account', { token, body: {} });
  assert.equal(deleted.status, 200, deleted.text);
  const { grants } = await until(
    () => shown(personId),
    (person) => person.grants.every(({ ended }) => ended !== null),
    'revocation',
  );
  assert.deepEqual(
    grants.map(({ ended }) => ended?.by),
    ['app', 'app'],
  );
  assert.equal(await balanceStatus(token), 401);
});

test('a person who withdraws their consent loses the sessions, once, and can sign in again', async () => {
  const personId = await newPerson();
  const { user, session } = await merge(await newGuest(server.url), personId);
  assert.equal(await balanceStatus(session.access_token), 200);
  assert.deepEqual(await control(`people/${personId}/withdraw-consent`, { times: 2 }), { statuses: [200, 200] });
  assert.equal(await balanceStatus(session.access_token), 401);
  const second = await merge(await newGuest(server.url), personId);
  assert.equal(second.user.id, user.id);
  assert.equal(await balanceStatus(second.session.access_token), 200);
});

test('a person who deletes their Apple Account has none here any more', async () => {
  const personId = await newPerson();
  const { session } = await merge(await newGuest(server.url), personId);
  assert.deepEqual(await control(`people/${personId}/delete`, {}), { statuses: [200] });
  assert.equal(await balanceStatus(session.access_token), 401);
});

test('a separate worker is the same Apple: it revokes what the server was given', async () => {
  await using own = await createTestDatabase();
  await using web = await startTestServer({ env: { DATABASE_URL: own.url, WORKER: 'off' } });
  const env = { DATABASE_URL: own.url, DATA_DIR: web.dataDir, PORT: new URL(web.url).port };
  await using _worker = await startTestWorker({ env });
  const { id } = await control<Person>('people', { name: 'Cem' }, web);
  const guest = await newGuest(web.url);
  const { session } = await merge(guest, id, web);
  const { access_token: token } = session;
  assert.equal((await call(web.url, 'POST', 'delete-account', { token, body: {} })).status, 200);
  await until(
    () => shown(id, web),
    ({ grants }) => grants.every(({ ended }) => ended?.by === 'app'),
    'revocation',
  );
});

test('another website cannot sign people in, or read who they are', async () => {
  for (const headers of [
    { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://example.com' },
    { 'Sec-Fetch-Site': 'same-site', Origin: 'http://localhost:1' },
    { Origin: 'https://example.com' },
    { Origin: 'null' },
  ]) {
    const { status, text } = await call(server.url, 'GET', '/dev/apple/control/people', { headers });
    assert.equal(status, 403, text);
    assert.doesNotMatch(text, /Ada/);
  }
  for (const headers of [{ 'Sec-Fetch-Site': 'same-origin' }, { Origin: server.url }]) {
    assert.equal((await call(server.url, 'GET', '/dev/apple/control/people', { headers })).status, 200);
  }
});

test('where a URL of Apple is set, there is no simulated Apple and no page of it', async () => {
  await using own = await createTestDatabase();
  const env = { APPLE_BUNDLE_ID: 'com.example.app', APPLE_ID_URL: 'https://appleid.apple.com' };
  await using real = await startTestServer({ env: { DATABASE_URL: own.url, WORKER: 'off', ...env } });
  assert.equal((await settings(real.url)).apple_authorize_url, null);
  for (const path of ['/dev/apple/authorize', '/dev/apple/authorize.js', '/dev/apple/control/people']) {
    assert.equal((await call(real.url, 'GET', path)).status, 404);
  }
  assert.doesNotMatch(real.output(), /Sign in with Apple/);
});
