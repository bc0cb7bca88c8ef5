import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { decodeJwt, exportPKCS8, exportSPKI, generateKeyPair, importPKCS8, SignJWT } from 'jose';
import { withAppleIdControls } from '../../sim/apple-id/controls.ts';
import type { AppleIdSimulator } from '../../sim/apple-id.ts';
import { serveSimulator } from '../../sim/serve.ts';
import { createWorld, type World, type WorldOptions } from '../../sim/world.ts';
import { createAppleIdentity } from '../../src/apple/identity-token.ts';
import { createAppleSignIn } from '../../src/apple/sign-in.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { silentLog } from '../../src/kernel/log.ts';

const START_MS = Date.UTC(2026, 10, 29, 12);
const BUNDLE_ID = 'com.example.rendio';
const SERVICE_ID = 'com.example.rendio.web';
const NOTIFICATIONS_URL = 'http://rendio.test/functions/v1/apple-account-notifications';
const MINUTE_MS = 60_000;

type Options = Partial<WorldOptions> & { dataDir?: string };

/** A simulated Apple, and the server's own adapters in front of it. The clock stands still until it is set. */
async function appleIn(t: TestContext, { dataDir, ...options }: Options = {}) {
  const folder = dataDir ?? (await tempFolder(t));
  const time = { ms: START_MS };
  const clock = { now: () => new Date(time.ms) };
  const world = await createWorld({
    ...{ dataDir: folder, clock, log: silentLog },
    appleId: { clientIds: [BUNDLE_ID, SERVICE_ID], notificationsUrl: () => NOTIFICATIONS_URL },
    ...options,
  });
  t.after(() => world.close());
  const { appleId } = world;
  return { world, appleId, apple: appleId.controls, time, folder, ...adaptersOf(appleId, world.fetch, clock) };
}

function adaptersOf(
  { credentials, clientIds, baseUrl }: AppleIdSimulator,
  fetchIt: typeof fetch,
  clock: { now(): Date },
  url = baseUrl,
) {
  const { privateKeyPem: privateKey, ...names } = credentials;
  const shared = { baseUrl: url, fetch: fetchIt, clock };
  return {
    identity: createAppleIdentity({ ...shared, clientIds }),
    signIn: createAppleSignIn({ ...shared, ...names, privateKey }),
  };
}

/** Apple's keys cost more than the tests: they are made once. */
let keysFile: string;
const KEYS = join('simulators', 'apple-id', 'signing-keys.json');

before(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'apple-id-'));
  const { fetch: fetchIt, appleId } = await createWorld({ dataDir, clock: systemClock, log: silentLog });
  assert.equal((await fetchIt(`${appleId.baseUrl}/auth/keys`)).status, 200);
  keysFile = join(dataDir, KEYS);
});
after(() => rm(dirname(dirname(dirname(keysFile))), { recursive: true, force: true }));

async function tempFolder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'apple-id-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  await cp(keysFile, join(path, KEYS));
  return path;
}

const sha256 = (text: string, encoding: 'hex' | 'base64url' = 'hex') =>
  createHash('sha256').update(text).digest(encoding);

async function secretOf(
  { credentials }: AppleIdSimulator,
  claims: Record<string, unknown> = {},
  header: { kid?: string } = {},
) {
  const { teamId, keyId, privateKeyPem } = credentials;
  const now = START_MS / 1000;
  const usual = { iss: teamId, sub: BUNDLE_ID, aud: 'https://appleid.apple.com', iat: now, exp: now + 300 };
  const given = Object.fromEntries(Object.entries({ ...usual, ...claims }).filter(([, value]) => value !== undefined));
  const key = await importPKCS8(privateKeyPem, 'ES256');
  return new SignJWT(given).setProtectedHeader({ alg: 'ES256', kid: keyId, ...header }).sign(key);
}

/** Sends a form as any client would; returns `status body`. */
async function post(
  world: World,
  path: 'token' | 'revoke',
  fields: Record<string, string>,
  type?: string,
): Promise<string> {
  const form = { client_id: BUNDLE_ID, client_secret: await secretOf(world.appleId), ...fields };
  const response = await world.fetch(`${world.appleId.baseUrl}/auth/${path}`, {
    method: 'POST',
    body: String(new URLSearchParams(form)),
    headers: { 'content-type': type ?? 'application/x-www-form-urlencoded' },
  });
  return `${response.status} ${await response.text()}`.trim();
}

async function verifiedUser(
  identity: ReturnType<typeof adaptersOf>['identity'],
  token: string,
  nonce: string | null = null,
) {
  const answer = await identity.verifyToken(token, nonce);
  assert.equal(answer.state, 'verified', JSON.stringify(answer));
  return answer.state === 'verified' ? answer.user : assert.fail();
}

test('the server’s own adapter accepts an identity token, with what the person shares', async (t) => {
  const { apple, identity } = await appleIn(t);
  const { id } = await apple.createPerson({ name: 'Cem', email: 'cem@example.com' });
  const shared = await apple.authorize({ personId: id, clientId: SERVICE_ID });
  const user = await verifiedUser(identity, shared.identityToken);
  assert.deepEqual(user, {
    sub: shared.sub,
    email: 'cem@example.com',
    isEmailVerified: true,
    isPrivateEmail: false,
    clientId: SERVICE_ID,
    expiresAt: new Date(START_MS + 24 * 3600_000),
  });
  assert.match(user.sub, /^\d{6}\.[0-9a-f]{32}\.\d{4}$/);
  const hidden = await apple.authorize({ personId: id, hidesEmail: true });
  const hiding = await verifiedUser(identity, hidden.identityToken);
  assert.match(hiding.email ?? '', /^\w{10}@privaterelay\.appleid\.com$/);
  assert.deepEqual([hiding.isPrivateEmail, hiding.sub, hiding.clientId], [true, user.sub, BUNDLE_ID]);
  const { id: school } = await apple.createPerson({ name: 'Deniz' });
  const without = await apple.authorize({ personId: school, hidesEmail: true });
  assert.equal((await verifiedUser(identity, without.identityToken)).email, null);
});

test('an identity token has Apple’s claims, and says only at the first sign-in whether the person is likely real', async (t) => {
  const { apple } = await appleIn(t);
  const { id: personId } = await apple.createPerson({ name: 'Cem', email: 'cem@example.com', realUserStatus: 1 });
  const first = await apple.authorize({ personId, nonce: 'echoed' });
  const seconds = START_MS / 1000;
  assert.deepEqual(decodeJwt(first.identityToken), {
    ...{ iss: 'https://appleid.apple.com', aud: BUNDLE_ID, sub: first.sub },
    ...{ iat: seconds, exp: seconds + 86_400, auth_time: seconds, nonce: 'echoed', nonce_supported: true },
    ...{ email: 'cem@example.com', email_verified: true, is_private_email: false, real_user_status: 1 },
    c_hash: Buffer.from(sha256(first.authorizationCode), 'hex').subarray(0, 16).toString('base64url'),
  });
  const second = decodeJwt((await apple.authorize({ personId })).identityToken);
  assert.ok(!('real_user_status' in second) && !('nonce' in second));
  await apple.withdrawConsent(personId);
  assert.equal(decodeJwt((await apple.authorize({ personId })).identityToken).real_user_status, 1);
});

test('flags are booleans or texts, and both of Apple’s issuers occur; the adapter reads all of them', async (t) => {
  const { apple, identity } = await appleIn(t);
  const [ada] = await apple.people();
  const personId = ada?.id ?? '';
  apple.setTokenForm({ flags: 'string', issuer: 'https://account.apple.com', lifetimeSeconds: 600 });
  const { identityToken } = await apple.authorize({ personId, hidesEmail: true });
  const { email_verified, is_private_email, iss } = decodeJwt(identityToken);
  assert.deepEqual([email_verified, is_private_email, iss], ['true', 'true', 'https://account.apple.com']);
  const user = await verifiedUser(identity, identityToken);
  assert.deepEqual([user.isEmailVerified, user.isPrivateEmail], [true, true]);
  assert.equal(user.expiresAt.getTime(), START_MS + 600_000);
});

test('the nonce is echoed as the app gave it: the adapter wants the raw one behind it', async (t) => {
  const { apple, identity } = await appleIn(t);
  const [ada] = await apple.people();
  const { identityToken } = await apple.authorize({ personId: ada?.id ?? '', nonce: sha256('raw') });
  await verifiedUser(identity, identityToken, 'raw');
  for (const wrong of ['other', null])
    assert.equal((await identity.verifyToken(identityToken, wrong)).state, 'refused');
});

test('every published key signs, and a rotation keeps the old ones or withdraws them', async (t) => {
  const { apple, identity, world, time } = await appleIn(t);
  const [ada] = await apple.people();
  const sign = async () => (await apple.authorize({ personId: ada?.id ?? '' })).identityToken;
  const kidOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid;
  const published = async () => {
    const { keys } = await (await world.fetch(`${world.appleId.baseUrl}/auth/keys`)).json();
    return (keys as { kid: string }[]).map(({ kid }) => kid);
  };
  const [one, two] = [await sign(), await sign()];
  assert.deepEqual([kidOf(one), kidOf(two)].sort(), (await published()).sort());
  for (const token of [one, two]) await verifiedUser(identity, token);

  await apple.rotateKeys({ keepOld: true });
  assert.equal((await published()).length, 3);
  // The adapter asks again for an unknown key, but not at once: anyone can invent key ids.
  time.ms += MINUTE_MS;
  const [three, four] = [await sign(), await sign()];
  assert.equal(kidOf(three), kidOf(four), 'the new key alone signs');
  for (const token of [one, three]) await verifiedUser(identity, token);

  await apple.rotateKeys({ keepOld: false });
  assert.equal((await published()).length, 1);
  time.ms += 11 * MINUTE_MS;
  await verifiedUser(identity, await sign());
  assert.equal((await identity.verifyToken(three, null)).state, 'refused', 'signed by a key that was withdrawn');
});

test('the server’s own adapter exchanges a code once, within five minutes, for this person’s tokens', async (t) => {
  const { apple, signIn, time } = await appleIn(t);
  const [ada] = await apple.people();
  const authorize = () => apple.authorize({ personId: ada?.id ?? '' });
  const { authorizationCode: code, sub } = await authorize();
  const exchanged = await signIn.exchangeCode(BUNDLE_ID, code);
  assert.ok(exchanged.state === 'exchanged' && exchanged.sub === sub);
  const declined = { state: 'declined', cause: 'answered 400: invalid_grant' };
  assert.deepEqual(await signIn.exchangeCode(BUNDLE_ID, code), declined);
  assert.deepEqual(await signIn.exchangeCode(SERVICE_ID, (await authorize()).authorizationCode), declined);
  assert.deepEqual(await signIn.exchangeCode(BUNDLE_ID, 'no code'), declined);
  const [early, late] = [await authorize(), await authorize()];
  time.ms += 5 * MINUTE_MS;
  assert.equal((await signIn.exchangeCode(BUNDLE_ID, early.authorizationCode)).state, 'exchanged');
  time.ms += 1;
  assert.deepEqual(await signIn.exchangeCode(BUNDLE_ID, late.authorizationCode), declined);
});

test('of concurrent exchanges of one code one succeeds, also over two processes’ worlds', async (t) => {
  const one = await appleIn(t);
  const other = await appleIn(t, { dataDir: one.folder });
  const [ada] = await one.apple.people();
  const { authorizationCode } = await one.apple.authorize({ personId: ada?.id ?? '' });
  const tries = Array.from({ length: 10 }, (_, i) =>
    (i % 2 ? one : other).signIn.exchangeCode(BUNDLE_ID, authorizationCode),
  );
  const states = (await Promise.all(tries)).map(({ state }) => state);
  assert.equal(states.filter((state) => state === 'exchanged').length, 1);
  assert.equal(states.filter((state) => state === 'declined').length, 9);
});

test('the token endpoint refuses with Apple’s words', async (t) => {
  const { apple, world } = await appleIn(t);
  const [ada] = await apple.people();
  const code = async (more: object = {}) =>
    (await apple.authorize({ personId: ada?.id ?? '', ...more })).authorizationCode;
  const grant = { grant_type: 'authorization_code' };
  const invalid = (description?: string) =>
    `400 ${JSON.stringify({ error: 'invalid_grant', ...(description ? { error_description: description } : {}) })}`;
  const request = '400 {"error":"invalid_request"}';
  const used = await code();
  assert.match(await post(world, 'token', { ...grant, code: used }), /^200 /);
  const website = await code({ redirectUri: 'https://example.com/apple' });
  const expired = 'The code has expired or has been revoked.';
  const cases: [Record<string, string>, string][] = [
    [{ ...grant, code: used }, invalid('The code has already been used.')],
    [{ ...grant, code: 'c0.0.none' }, invalid(expired)],
    [{ ...grant, code: `${(await code()).slice(0, -4)}AAAA` }, invalid(expired)],
    [
      { ...grant, code: await code({ clientId: SERVICE_ID }) },
      invalid(`client_id mismatch. The code was not issued to ${BUNDLE_ID}.`),
    ],
    [{ ...grant, code: website }, invalid('redirect_uri mismatch. The code was not issued to .')],
    [
      { ...grant, code: website, redirect_uri: 'https://example.org' },
      invalid('redirect_uri mismatch. The code was not issued to https://example.org.'),
    ],
    [grant, request],
    [{ code: await code() }, request],
    [{ grant_type: 'refresh_token' }, request],
    [{ grant_type: 'refresh_token', refresh_token: 'r0.none' }, invalid()],
    [{ grant_type: 'refresh_token', refresh_token: used }, invalid()],
    [{ ...grant, code: await code(), client_id: '' }, request],
    [{ ...grant, code: await code(), client_secret: '' }, request],
    [{ grant_type: 'password', code: await code() }, '400 {"error":"unsupported_grant_type"}'],
    [{ ...grant, code: await code(), client_id: 'com.example.other' }, '400 {"error":"invalid_client"}'],
  ];
  for (const [fields, expected] of cases) assert.equal(await post(world, 'token', fields), expected);
  assert.equal(await post(world, 'token', { ...grant, code: await code() }, 'application/json'), request);
  assert.equal(await post(world, 'revoke', {}), request);
  const twice = 'client_id=a&client_id=b&client_secret=c';
  const response = await world.fetch(`${world.appleId.baseUrl}/auth/token`, {
    ...{ method: 'POST', body: twice, headers: { 'content-type': 'application/x-www-form-urlencoded' } },
  });
  assert.equal(`${response.status} ${await response.text()}`, request);
  apple.addClient({ clientId: SERVICE_ID, isAuthorized: false });
  const off = { ...grant, client_id: SERVICE_ID, client_secret: await secretOf(world.appleId, { sub: SERVICE_ID }) };
  assert.equal(await post(world, 'token', off), '400 {"error":"unauthorized_client"}');
  const left = await code();
  await apple.withdrawConsent(ada?.id ?? '', { clientId: BUNDLE_ID });
  assert.equal(await post(world, 'token', { ...grant, code: left }), invalid(expired));
});

test('a client secret is checked as Apple checks it', async (t) => {
  const { apple, world } = await appleIn(t);
  const seconds = START_MS / 1000;
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  await apple.trust({ teamId: 'OTHERTEAM0', keyId: 'OTHERKEY00', publicKeyPem: await exportSPKI(publicKey) });
  const others = {
    ...world.appleId,
    credentials: { teamId: 'OTHERTEAM0', keyId: 'OTHERKEY00', privateKeyPem: await exportPKCS8(privateKey) },
  };
  const own = world.appleId;
  const bad: Record<string, string> = {
    'no JWT': 'secret',
    'an unknown key': await secretOf(own, {}, { kid: 'UNKNOWN000' }),
    'another team’s key': await secretOf(others),
    'another team’s key that claims to be ours': await secretOf(others, { iss: own.credentials.teamId }),
    'another issuer': await secretOf(own, { iss: 'OTHERTEAM0' }),
    'another subject': await secretOf(own, { sub: SERVICE_ID }),
    'another audience': await secretOf(own, { aud: 'https://example.com' }),
    expired: await secretOf(own, { exp: seconds - 1 }),
    'longer than six months': await secretOf(own, { exp: seconds + 15_777_001 }),
    'without an end': await secretOf(own, { exp: undefined }),
    'from the future': await secretOf(own, { iat: seconds + 60 }),
    altered: `${(await secretOf(own)).slice(0, -6)}AAAAAA`,
  };
  for (const [name, client_secret] of Object.entries(bad)) {
    assert.equal(await post(world, 'revoke', { token: 'r', client_secret }), '400 {"error":"invalid_client"}', name);
  }
  const longest = await secretOf(own, { exp: seconds + 15_777_000 });
  assert.equal(await post(world, 'revoke', { token: 'r', client_secret: longest }), '200');
  apple.addClient({ clientId: 'com.other.app', teamId: 'OTHERTEAM0' });
  const theirs = await secretOf(others, { sub: 'com.other.app' });
  const fields = { token: 'r', client_id: 'com.other.app', client_secret: theirs };
  assert.equal(await post(world, 'revoke', fields), '200', 'of another team whose key is trusted');
});

test('people have one id per team, whichever of its apps they use, and another in another team', async (t) => {
  const { apple } = await appleIn(t);
  apple.addClient({ clientId: 'com.other.app', teamId: 'OTHERTEAM0' });
  const [ada, bob] = await apple.people();
  const subAt = async (personId: string, clientId: string) => (await apple.authorize({ personId, clientId })).sub;
  assert.equal(await subAt(ada?.id ?? '', BUNDLE_ID), await subAt(ada?.id ?? '', SERVICE_ID));
  assert.notEqual(await subAt(ada?.id ?? '', BUNDLE_ID), await subAt(ada?.id ?? '', 'com.other.app'));
  assert.notEqual(ada?.sub, bob?.sub);
});

test('a refresh token gives new identity tokens until it is revoked, with one token all of the person’s for the app', async (t) => {
  const { apple, world, signIn, identity } = await appleIn(t);
  const [ada] = await apple.people();
  const personId = ada?.id ?? '';
  const exchange = async (clientId = BUNDLE_ID) => {
    const answer = await signIn.exchangeCode(
      clientId,
      (await apple.authorize({ personId, clientId })).authorizationCode,
    );
    return answer.state === 'exchanged' ? answer.refreshToken : assert.fail(JSON.stringify(answer));
  };
  const refresh = (token: string) => post(world, 'token', { grant_type: 'refresh_token', refresh_token: token });
  const [one, two, website] = [await exchange(), await exchange(), await exchange(SERVICE_ID)];
  const answer = await refresh(one);
  const body = JSON.parse(answer.replace(/^200 /, ''));
  assert.deepEqual(Object.keys(body).sort(), ['access_token', 'expires_in', 'id_token', 'token_type']);
  assert.equal((await verifiedUser(identity, body.id_token)).sub, ada?.sub);
  assert.ok('at_hash' in decodeJwt(body.id_token));

  for (const token of ['unknown', website])
    assert.deepEqual(await signIn.revoke(BUNDLE_ID, token), { state: 'revoked' });
  assert.match(await refresh(two), /^200 /, 'neither was a token of this app');
  assert.deepEqual(await signIn.revoke(BUNDLE_ID, one), { state: 'revoked' });
  for (const token of [one, two]) assert.equal(await refresh(token), '400 {"error":"invalid_grant"}');
  assert.deepEqual(await signIn.revoke(BUNDLE_ID, one), { state: 'revoked' }, 'again');
  const [shown] = await apple.people();
  assert.deepEqual(
    shown?.grants.map(({ clientId, ended }) => [clientId, ended?.by ?? null]),
    [
      [BUNDLE_ID, 'app'],
      [BUNDLE_ID, 'app'],
      [SERVICE_ID, null],
    ],
  );
  const again = JSON.parse(
    (
      await post(world, 'token', {
        grant_type: 'authorization_code',
        code: (await apple.authorize({ personId })).authorizationCode,
      })
    ).slice(4),
  );
  assert.equal(await post(world, 'revoke', { token: again.access_token, token_type_hint: 'access_token' }), '200');
  assert.equal(await refresh(again.refresh_token), '400 {"error":"invalid_grant"}');
});

/** A server that keeps what it is sent, and answers as it is told. */
function createInbox() {
  const payloads: string[] = [];
  const waiting: (() => void)[] = [];
  let statuses: number[] = [];
  const deliver: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    assert.equal(request.url, NOTIFICATIONS_URL);
    assert.equal(request.headers.get('content-type'), 'application/json');
    payloads.push(Object(await request.json()).payload);
    for (const check of waiting.splice(0)) check();
    return new Response(null, { status: statuses.shift() ?? 200 });
  };
  return {
    deliver,
    payloads,
    answer: (...next: number[]) => {
      statuses = next;
    },
    async atLeast(count: number): Promise<void> {
      while (payloads.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
    },
  };
}

test('the server’s own adapter accepts each notification, which says what has happened', async (t) => {
  const inbox = createInbox();
  const { apple, identity } = await appleIn(t, { deliver: inbox.deliver });
  const { id, email } = await apple.createPerson({ name: 'Cem', email: 'cem@example.com' });
  const { sub } = await apple.authorize({ personId: id, clientId: SERVICE_ID, hidesEmail: true });
  const relay = (await apple.people()).find((person) => person.id === id)?.relayEmail ?? null;
  const last = async () => {
    const payload = inbox.payloads.at(-1) ?? '';
    assert.equal(typeof decodeJwt(payload).events, 'string');
    assert.equal(decodeJwt(payload).aud, SERVICE_ID);
    const answer = await identity.verifyNotification(payload);
    return answer.state === 'verified' ? answer.notification : assert.fail(answer.cause);
  };
  const at = new Date(START_MS);
  assert.deepEqual(await apple.setForwarding(id, false), { statuses: [200] });
  const { id: noticeId, ...disabled } = await last();
  assert.deepEqual(disabled, { type: 'email-disabled', sub, at, email: relay, isPrivateEmail: true });
  await apple.setForwarding(id, true);
  assert.deepEqual(await last(), { ...disabled, type: 'email-enabled', id: (await last()).id });
  assert.notEqual((await last()).id, noticeId);
  await apple.notify(id, 'account-delete', { atMs: START_MS - 1000 });
  const rest = { sub, email: null, isPrivateEmail: null };
  assert.deepEqual(await last(), {
    ...rest,
    type: 'account-delete',
    at: new Date(START_MS - 1000),
    id: (await last()).id,
  });
  assert.equal((await apple.people()).find((person) => person.id === id)?.isDeleted, false, 'it was only said');
  await apple.withdrawConsent(id);
  assert.deepEqual(await last(), { ...rest, type: 'consent-revoked', at, id: (await last()).id });
  assert.deepEqual(await apple.withdrawConsent(id), { statuses: [] }, 'no app uses the account any more');
  assert.equal(email, 'cem@example.com');
});

test('a deleted Apple Account signs nobody in, its tokens end, and each app hears of it', async (t) => {
  const inbox = createInbox();
  const { apple, signIn, world } = await appleIn(t, { deliver: inbox.deliver });
  const { id: personId } = await apple.createPerson({ name: 'Cem' });
  const { authorizationCode } = await apple.authorize({ personId });
  await apple.authorize({ personId, clientId: SERVICE_ID });
  const exchanged = await signIn.exchangeCode(BUNDLE_ID, authorizationCode);
  assert.ok(exchanged.state === 'exchanged');
  assert.deepEqual(await apple.deleteAppleAccount(personId), { statuses: [200, 200] });
  assert.deepEqual(inbox.payloads.map((payload) => decodeJwt(payload).aud).sort(), [BUNDLE_ID, SERVICE_ID]);
  const fields = { grant_type: 'refresh_token', refresh_token: exchanged.refreshToken };
  assert.equal(await post(world, 'token', fields), '400 {"error":"invalid_grant"}');
  await assert.rejects(apple.authorize({ personId }), /has deleted their Apple Account/);
  await assert.rejects(apple.deleteAppleAccount(personId), /has deleted their Apple Account/);
  await assert.rejects(apple.authorize({ personId: randomUUID() }), /there is no simulated person/);
});

test('a notification is repeated with the same id, delayed on demand, and sent again until it is accepted', async (t) => {
  const inbox = createInbox();
  const { apple } = await appleIn(t, { deliver: inbox.deliver });
  const [ada] = await apple.people();
  const personId = ada?.id ?? '';
  assert.deepEqual(await apple.notify(personId, 'consent-revoked', { times: 3, delayMs: 1 }), {
    statuses: [200, 200, 200],
  });
  assert.equal(new Set(inbox.payloads).size, 1);
  apple.setNotificationRetryMs(1);
  inbox.answer(503, 500, 404);
  assert.deepEqual(await apple.notify(personId, 'email-enabled'), { statuses: [503] });
  await inbox.atLeast(3 + 4);
  assert.equal(new Set(inbox.payloads.slice(3)).size, 1);
  const tries = apple.deliveries().filter(({ type }) => type === 'email-enabled');
  assert.deepEqual(
    tries.map(({ attempt }) => attempt),
    [1, 2, 3, 4],
  );
});

test('closing ends the wait for a delayed notification and for the next try', async (t) => {
  const inbox = createInbox();
  const { apple, world } = await appleIn(t, { deliver: inbox.deliver });
  const [ada] = await apple.people();
  inbox.answer(503);
  await apple.notify(ada?.id ?? '', 'consent-revoked');
  const delayed = apple.notify(ada?.id ?? '', 'consent-revoked', { delayMs: 600_000 });
  await world.close();
  assert.deepEqual(await delayed, { statuses: [] });
  assert.equal(inbox.payloads.length, 1);
});

test('planned faults reach the adapters as Apple’s outages do, and no longer than planned', async (t) => {
  const { apple, identity, signIn, time } = await appleIn(t);
  const [ada] = await apple.people();
  const { identityToken, authorizationCode } = await apple.authorize({ personId: ada?.id ?? '' });
  apple.plan({ on: 'keys', reply: 'cut' });
  assert.equal((await identity.verifyToken(identityToken, null)).state, 'unavailable');
  // Without any keys, Apple is asked once a second.
  time.ms += 1_000;
  await verifiedUser(identity, identityToken);
  apple.plan({ on: 'token', reply: { status: 503, text: '<html>' } });
  assert.equal((await signIn.exchangeCode(BUNDLE_ID, authorizationCode)).state, 'unavailable');
  const exchanged = await signIn.exchangeCode(BUNDLE_ID, authorizationCode);
  assert.ok(exchanged.state === 'exchanged');
  // Apple has done it, but its answer is lost: the repeat is a success.
  apple.plan({ on: 'revoke', apply: true, reply: 'cut' });
  assert.equal((await signIn.revoke(BUNDLE_ID, exchanged.refreshToken)).state, 'unavailable');
  assert.equal((await signIn.revoke(BUNDLE_ID, exchanged.refreshToken)).state, 'revoked');
  assert.deepEqual(
    apple.calls().map(({ operation, status }) => [operation, status]),
    [
      ['keys', 200],
      ['keys', 200],
      ['token', 503],
      ['token', 200],
      ['revoke', 200],
      ['revoke', 200],
    ],
  );
  assert.ok(!JSON.stringify(apple.calls()).includes('client_secret'));
});

test('people, keys, grants and the team survive a restart, and are shared by worlds over one folder', async (t) => {
  const one = await appleIn(t);
  const { id: personId, name } = await one.apple.createPerson({ name: 'Cem', email: 'cem@example.com' });
  const { identityToken, authorizationCode, sub } = await one.apple.authorize({ personId });
  const other = await appleIn(t, { dataDir: one.folder });
  await verifiedUser(other.identity, identityToken);
  const exchanged = await other.signIn.exchangeCode(BUNDLE_ID, authorizationCode);
  assert.ok(exchanged.state === 'exchanged');
  await one.world.close();
  const restarted = await appleIn(t, { dataDir: one.folder });
  assert.deepEqual(
    (await restarted.apple.people()).map((person) => person.name),
    ['Ada', 'Bob', name],
  );
  assert.equal((await restarted.apple.authorize({ personId })).sub, sub);
  assert.equal((await restarted.signIn.revoke(BUNDLE_ID, exchanged.refreshToken)).state, 'revoked');
  const [, , cem] = await other.apple.people();
  assert.equal(cem?.grants[0]?.ended?.by, 'app');
});

test('served over a port, the adapters run unmodified, and the control panel does what the object does', async (t) => {
  const inbox = createInbox();
  const { appleId, apple } = await appleIn(t, { deliver: inbox.deliver });
  const { url, close } = await serveSimulator(withAppleIdControls(appleId));
  t.after(close);
  const { identity, signIn } = adaptersOf(appleId, fetch, { now: () => new Date(START_MS) }, url);
  const control = async (method: string, path: string, json?: unknown) => {
    const response = await fetch(`${url}/_control/${path}`, {
      method,
      ...(json ? { body: JSON.stringify(json) } : {}),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : JSON.parse(text) };
  };
  const person = (await control('POST', 'people', { name: 'Cem', email: 'cem@example.com' })).body;
  const request = { personId: person.id, nonce: sha256('raw'), hidesEmail: true };
  const authorized = (await control('POST', 'authorizations', request)).body;
  assert.equal((await verifiedUser(identity, authorized.identityToken, 'raw')).email, authorized.email);
  assert.equal((await control('POST', 'faults', { on: 'token', reply: 'cut' })).status, 204);
  assert.equal((await signIn.exchangeCode(BUNDLE_ID, authorized.authorizationCode)).state, 'unavailable');
  const exchanged = await signIn.exchangeCode(BUNDLE_ID, authorized.authorizationCode);
  assert.ok(exchanged.state === 'exchanged' && exchanged.sub === authorized.sub);

  const told = await control('POST', `people/${person.id}/notifications`, { type: 'email-disabled', times: 2 });
  assert.deepEqual(told, { status: 200, body: { statuses: [200, 200] } });
  assert.deepEqual((await control('POST', `people/${person.id}/forwarding`, { isForwarding: false })).body, {
    statuses: [200],
  });
  assert.deepEqual((await control('POST', `people/${person.id}/withdraw-consent`, {})).body, { statuses: [200] });
  await control('POST', 'authorizations', request);
  assert.deepEqual((await control('POST', `people/${person.id}/delete`, {})).body, { statuses: [200] });
  assert.deepEqual((await control('GET', 'people')).body, JSON.parse(JSON.stringify(await apple.people())));
  assert.deepEqual((await control('GET', 'notifications')).body, apple.deliveries());
  assert.equal(inbox.payloads.length, 5);

  for (const [method, path, json] of [
    ['POST', 'keys', { rotate: { keepOld: true } }],
    ['PUT', 'token-form', { flags: 'string' }],
    ['PUT', 'notifications', { url: NOTIFICATIONS_URL, retryMs: 1 }],
    ['POST', 'clients', { clientId: 'com.example.third' }],
    ['POST', 'faults', { times: 5, reply: 'cut' }],
    ['DELETE', 'faults'],
  ] as const)
    assert.equal((await control(method, path, json)).status, 204, path);
  assert.deepEqual((await control('GET', 'clients')).body, apple.clients());
  assert.equal((await (await fetch(`${url}/auth/keys`)).json()).keys.length, 3);
  assert.deepEqual((await control('GET', 'calls')).body, JSON.parse(JSON.stringify(apple.calls())));
  const refused = await control('POST', 'authorizations', { personId: person.id });
  assert.deepEqual(refused, { status: 400, body: { error: 'Cem has deleted their Apple Account' } });
  assert.equal((await control('POST', 'people', { name: '' })).status, 400);
});

test('the control panel is not part of the app that answers inside the server', async (t) => {
  const { world } = await appleIn(t);
  assert.equal((await world.fetch(`${world.appleId.baseUrl}/_control/people`)).status, 404);
});
