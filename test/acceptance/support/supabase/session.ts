/** Sessions, users and claims with Supabase's client. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AuthChangeEvent, Session } from '@supabase/supabase-js';
import { call, expectStatus } from '../api.ts';
import { assertFailed, type Door, dataOf, newAppleDevice, newDevice, newGuestDevice, newSub } from './clients.ts';

export function testSessions(door: Door): void {
  describe('a session of Supabase’s client', () => {
    testRefresh(door);
  });

  describe('the user of Supabase’s client', () => {
    testUser(door);
  });

  describe('the claims of Supabase’s client', () => {
    testClaims(door);
  });

  test('the settings and the health of the auth API are those of the original', async () => {
    const settings = expectStatus(await call(door.url, 'GET', '/auth/v1/settings'), 200).body;
    assert.deepEqual(settings.external, { anonymous_users: true, apple: true, email: false, phone: false });
    for (const name of ['disable_signup', 'mailer_autoconfirm', 'phone_autoconfirm', 'saml_enabled'])
      assert.equal(settings[name], false, name);
    const health = expectStatus(await call(door.url, 'GET', '/auth/v1/health'), 200).body;
    assert.deepEqual([health.name, typeof health.version, typeof health.description], ['GoTrue', 'string', 'string']);
  });
}

function testRefresh(door: Door): void {
  test('is refreshed on demand; the lost answer of a refresh signs nobody out', async () => {
    const { supabase, session, id } = await newGuestDevice(door);
    const first = dataOf(await supabase.auth.refreshSession()).session;
    assert.ok(first && first.refresh_token !== session.refresh_token);
    assert.equal(first.user.id, id);
    const again = dataOf(await supabase.auth.refreshSession(session)).session;
    assert.equal(again?.refresh_token, first.refresh_token);
    assert.equal(dataOf(await supabase.auth.getUser()).user.id, id);
  });

  test('is refreshed by itself shortly before it expires, and by many calls at once only once', async () => {
    const { session } = await newGuestDevice(door);
    const expiring: Session = { ...session, expires_at: Math.floor(Date.now() / 1000) + 30 };
    const device = newDevice(door, { autoRefreshToken: true, session: expiring });
    const refreshed = Promise.withResolvers<Session | null>();
    const events: AuthChangeEvent[] = [];
    const { data } = device.supabase.auth.onAuthStateChange((event, next) => {
      events.push(event);
      if (event === 'TOKEN_REFRESHED') refreshed.resolve(next);
    });
    const next = await refreshed.promise;
    assert.ok(next && next.refresh_token !== session.refresh_token);
    await device.supabase.auth.stopAutoRefresh();
    const all = await Promise.all(Array.from({ length: 5 }, () => device.supabase.auth.getSession()));
    for (const answer of all) assert.equal(answer.data.session?.refresh_token, next.refresh_token);
    assert.equal(events.filter((event) => event === 'TOKEN_REFRESHED').length, 1);
    data.subscription.unsubscribe();
  });

  test('is taken over from another place with setSession', async () => {
    const { session, id } = await newGuestDevice(door);
    const { supabase } = newDevice(door);
    assert.equal(dataOf(await supabase.auth.setSession(session)).user?.id, id);
  });

  test('ends when an old refresh token is used again, for all tokens of it', async () => {
    const { supabase, session } = await newGuestDevice(door);
    const first = dataOf(await supabase.auth.refreshSession()).session;
    const second = dataOf(await supabase.auth.refreshSession()).session;
    assert.ok(first && second);
    const thief = newDevice(door).supabase;
    assertFailed(await thief.auth.refreshSession(session), 400, 'refresh_token_already_used');
    assert.equal((await supabase.auth.getUser()).error?.name, 'AuthSessionMissingError');
    assert.equal((await supabase.functions.invoke('get-user-credits', { method: 'GET' })).response?.status, 401);
  });
}

function testUser(door: Door): void {
  test('keeps data of the app: fields are merged, null removes one, and the next token has them', async () => {
    const { supabase, id } = await newGuestDevice(door);
    dataOf(await supabase.auth.updateUser({ data: { name: 'Ada', nested: { a: [1, null] }, gone: 1 } }));
    const { user } = dataOf(await supabase.auth.updateUser({ data: { gone: null, more: 'x' } }));
    const expected = { name: 'Ada', nested: { a: [1, null] }, more: 'x' };
    assert.deepEqual([user.id, user.user_metadata], [id, expected]);
    assert.deepEqual(dataOf(await supabase.auth.getUser()).user.user_metadata, expected);
    const { session } = dataOf(await supabase.auth.refreshSession());
    assert.deepEqual(dataOf(await supabase.auth.getClaims(session?.access_token)).claims.user_metadata, expected);
  });

  test('without data stays as it is; an e-mail address, a phone number and a password cannot be set', async () => {
    const { supabase } = await newGuestDevice(door);
    const before = dataOf(await supabase.auth.getUser()).user;
    assert.deepEqual(dataOf(await supabase.auth.updateUser({})).user, before);
    for (const [change, code] of [
      [{ email: 'ada@example.com' }, 'email_provider_disabled'],
      [{ phone: '+15551234567' }, 'phone_provider_disabled'],
      [{ password: 'correct horse' }, 'email_provider_disabled'],
    ] as const)
      assertFailed(await supabase.auth.updateUser(change), 422, code);
    assertFailed(await supabase.auth.updateUser({ data: { text: 'x'.repeat(5000) } }), 413, 'request_entity_too_large');
    assert.deepEqual(dataOf(await supabase.auth.getUser()).user, before);
  });

  test('too much data at the sign-up is refused, and more data cannot make anyone an administrator', async () => {
    const { supabase } = newDevice(door);
    const large = { options: { data: { text: 'x'.repeat(5000) } } };
    assertFailed(await supabase.auth.signInAnonymously(large), 413, 'request_entity_too_large');
    const { session } = await newGuestDevice(door);
    const body = { data: {}, app_metadata: { role: 'admin' }, role: 'service_role', is_anonymous: false };
    const answer = await call(door.url, 'PUT', '/auth/v1/user', { token: session.access_token, body });
    assert.deepEqual([answer.status, answer.body.error_code], [403, 'not_admin']);
  });
}

function testClaims(door: Door): void {
  test('are verified on the device, with the keys of the server, which are fetched once', async () => {
    const asked: string[] = [];
    const counting: typeof fetch = (input, init) => {
      asked.push(new URL(String(input)).pathname);
      return fetch(input, init);
    };
    const { session, id } = await newAppleDevice(door, newSub());
    const { supabase } = newDevice(door, { session, fetch: counting });
    const { claims, header } = dataOf(await supabase.auth.getClaims());
    assert.deepEqual(
      [header.alg, claims.sub, claims.role, claims.aud],
      ['ES256', id, 'authenticated', 'authenticated'],
    );
    assert.deepEqual([claims.is_anonymous, claims.aal, claims.app_metadata?.provider], [false, 'aal1', 'apple']);
    assert.equal(claims.amr?.map((entry) => (typeof entry === 'string' ? entry : entry.method)).join(), 'oauth');
    dataOf(await supabase.auth.getClaims());
    assert.deepEqual(asked, ['/auth/v1/.well-known/jwks.json']);
  });

  test('of a changed token, and of one whose key is not the server’s, are refused', async () => {
    const { session } = await newGuestDevice(door);
    const [head = '', payload = '', signature = ''] = session.access_token.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const changed = Buffer.from(JSON.stringify({ ...claims, is_anonymous: false })).toString('base64url');
    const { supabase } = newDevice(door);
    const local = await supabase.auth.getClaims(`${head}.${changed}.${signature}`);
    assert.match(local.error?.message ?? '', /Invalid JWT signature/);
    const unknownKey = Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'JWT', kid: 'unknown' })).toString('base64url');
    const remote = await supabase.auth.getClaims(`${unknownKey}.${payload}.${signature}`);
    assert.ok(remote.error);
    assertFailed({ error: remote.error }, 403, 'bad_jwt');
  });
}
