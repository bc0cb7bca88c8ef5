/** Signing in, linking and signing out with Supabase's client. */
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { call, expectStatus } from '../api.ts';
import {
  assertFailed,
  type Device,
  type Door,
  dataOf,
  newAppleDevice,
  newDevice,
  newGuestDevice,
  newSub,
} from './clients.ts';

export function testSignIn(door: Door): void {
  describe('signing in with Supabase’s client', () => {
    testOpening(door);
    testLinking(door);
  });

  describe('signing out with Supabase’s client', () => {
    testScopes(door);
    testAgain(door);
  });
}

function testOpening(door: Door): void {
  test('anonymously opens a guest’s account with the app’s data, and the session opens the API', async () => {
    const { supabase } = newDevice(door);
    const { user, session } = dataOf(
      await supabase.auth.signInAnonymously({ options: { data: { name: 'Ada', none: null } } }),
    );
    assert.ok(user && session);
    assert.equal(user.is_anonymous, true);
    assert.deepEqual([user.user_metadata, user.app_metadata, user.identities], [{ name: 'Ada' }, {}, []]);
    assert.equal(dataOf(await supabase.auth.getSession()).session?.access_token, session.access_token);
    const profile = await call(door.url, 'GET', 'get-user-profile', { token: session.access_token });
    assert.deepEqual([profile.body.id, profile.body.credits_remaining], [user.id, 0]);
  });

  test('with an Apple id token opens the same account each time, with its identity', async () => {
    const sub = newSub();
    const nonce = randomUUID();
    const claims = {
      sub,
      nonce: createHash('sha256').update(nonce).digest('hex'),
      email: 'ada@example.com',
      email_verified: 'true',
      is_private_email: 'false',
    };
    const { supabase } = newDevice(door);
    const token = await door.apple.identityToken(claims);
    const { user } = dataOf(await supabase.auth.signInWithIdToken({ provider: 'apple', token, nonce }));
    assert.equal(user.is_anonymous, false);
    assert.deepEqual(user.app_metadata, { provider: 'apple', providers: ['apple'] });
    assert.equal(user.email, 'ada@example.com');
    assert.ok(user.email_confirmed_at);
    const [identity] = user.identities ?? [];
    assert.deepEqual([identity?.provider, identity?.id, identity?.user_id], ['apple', sub, user.id]);
    assert.equal(identity?.identity_data?.sub, sub);
    assert.deepEqual(dataOf(await supabase.auth.getUserIdentities()).identities.length, 1);
    assert.equal((await newAppleDevice(door, sub)).id, user.id);
  });

  test('an address that Apple has not verified is not confirmed', async () => {
    const { supabase } = newDevice(door);
    const token = await door.apple.identityToken({ email: 'ada@example.com', email_verified: false });
    const { user } = dataOf(await supabase.auth.signInWithIdToken({ provider: 'apple', token }));
    assert.equal(user.email_confirmed_at, undefined);
  });
}

function testLinking(door: Door): void {
  test('links Apple to a guest, who keeps the id, and is no guest from then on', async () => {
    const guest = await newGuestDevice(door);
    const sub = newSub();
    const token = await door.apple.identityToken({ sub });
    const { user, session } = dataOf(await guest.supabase.auth.linkIdentity({ provider: 'apple', token }));
    assert.deepEqual([user?.id, user?.is_anonymous, user?.identities?.[0]?.id], [guest.id, false, sub]);
    assert.equal(guest.stored().access_token, session?.access_token);
    assert.equal(dataOf(await guest.supabase.auth.getUser()).user.is_anonymous, false);
    assert.equal((await newAppleDevice(door, sub)).id, guest.id);
  });

  test('links no identity that has an account, and then changes nothing', async () => {
    const [sub, otherSub] = [newSub(), newSub()];
    const owner = await newAppleDevice(door, sub);
    await newAppleDevice(door, otherSub);
    const guest = await newGuestDevice(door);
    const link = async ({ supabase }: Device, claims: object) =>
      supabase.auth.linkIdentity({ provider: 'apple', token: await door.apple.identityToken({ ...claims }) });
    for (const [who, claims, whose] of [
      [guest, { sub }, / to another user$/],
      [owner, { sub: otherSub }, / to another user$/],
      [owner, { sub: newSub() }, / to another user$/],
      [owner, { sub }, /^Identity is already linked$/],
    ] as const) {
      const answer = await link(who, claims);
      assertFailed(answer, 422, 'identity_already_exists');
      assert.match(answer.error?.message ?? '', whose);
    }
    assert.equal(dataOf(await guest.supabase.auth.getUser()).user.is_anonymous, true);
    assert.equal((await newAppleDevice(door, sub)).id, owner.id);
    // What proves nothing is refused as such, also where the caller could not link anyway.
    const forged = await owner.supabase.auth.linkIdentity({
      provider: 'apple',
      token: await door.apple.foreignToken({ sub }),
    });
    assertFailed(forged, 400, undefined);
  });
}

function testScopes(door: Door): void {
  for (const [scope, left] of [
    ['local', [false, true, true]],
    ['others', [true, false, false]],
    ['global', [false, false, false]],
  ] as const) {
    test(`${scope}: the sessions that it means end at once, with their access and refresh tokens`, async () => {
      const devices = await threeDevices(door);
      const { error } = await devices[0].supabase.auth.signOut({ scope });
      assert.equal(error, null);
      assert.equal(devices[0].stored() !== null, scope === 'others');
      for (const [index, device] of devices.entries()) {
        assert.equal(await isOpen(door, device), left[index], `device ${index}`);
        if (left[index]) continue;
        const refreshed = await newDevice(door).supabase.auth.refreshSession(device.session);
        // The client's own name for session_not_found.
        assert.equal(refreshed.error?.name, 'AuthSessionMissingError');
      }
    });
  }
}

function testAgain(door: Door): void {
  test('twice, with an ended session and without one, leaves the device signed out and no error', async () => {
    const { supabase, store, stored, session } = await newGuestDevice(door);
    assert.equal((await supabase.auth.signOut()).error, null);
    store(session);
    assert.equal((await supabase.auth.signOut()).error, null);
    assert.equal(stored(), null);
    assert.equal((await supabase.auth.signOut()).error, null);
  });

  test('with an unknown scope is validation_failed, and nothing ends', async () => {
    const { session } = await newGuestDevice(door);
    // The client refuses it by itself.
    const path = '/auth/v1/logout?scope=everywhere';
    const { status, body } = await call(door.url, 'POST', path, { token: session.access_token });
    assert.deepEqual([status, body.error_code], [400, 'validation_failed']);
    assert.equal(body.msg, 'Unsupported logout scope "everywhere"');
    expectStatus(await call(door.url, 'GET', 'get-user-credits', { token: session.access_token }), 200);
  });
}

async function threeDevices(door: Door) {
  const sub = newSub();
  return [await newAppleDevice(door, sub), await newAppleDevice(door, sub), await newAppleDevice(door, sub)] as const;
}
async function isOpen(door: Door, { session }: { session: { access_token: string; refresh_token: string } }) {
  const api = await call(door.url, 'GET', 'get-user-credits', { token: session.access_token });
  const auth = await call(door.url, 'GET', '/auth/v1/user', { token: session.access_token });
  assert.deepEqual([api.status, auth.status], api.status === 200 ? [200, 200] : [401, 403]);
  return api.status === 200;
}
