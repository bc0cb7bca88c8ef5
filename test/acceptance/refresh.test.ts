/** Sessions: they survive lost answers, and end when a stolen token is used. */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { sessionShape } from './support/answers.ts';
import { call, expectStatus, type Reply } from './support/api.ts';
import { asGuest, deviceCheck, deviceTokenOf, newGuest } from './support/guest.ts';
import { type AuthFailure, REFRESH, refresh, VERSION } from './support/refresh.ts';
import { assertShape, oneOf, shape, someText } from './support/shape.ts';
import { useTarget } from './support/target.ts';
import { readToken } from './support/tokens.ts';

const target = useTarget();

/** Asserts an error in the format of the Supabase clients, in the API version that they request. */
function assertAuthRefused(reply: Reply<AuthFailure>, status: number, code: string, isVersioned: boolean): void {
  expectStatus(reply, status);
  assert.equal(reply.headers.get('x-sb-error-code'), code);
  if (isVersioned) {
    assertShape(reply.body, shape({ code: oneOf(code), message: someText }));
    assert.equal(reply.headers.get('x-supabase-api-version'), '2024-01-01');
  } else {
    assertShape(reply.body, shape({ code: oneOf(status), error_code: oneOf(code), msg: someText }));
  }
}

const renew = async (token: string) => {
  const reply = expectStatus(await refresh(target.url, token), 200);
  assertShape(reply.body, sessionShape);
  return reply.body;
};

describe('a refresh', () => {
  test('returns new tokens for the same account, and both work', async () => {
    const guest = await newGuest(target.url);
    const session = await renew(guest.refreshToken);
    assert.equal(session.user.id, guest.userId);
    assert.notEqual(session.refresh_token, guest.refreshToken);
    assert.equal(session.expires_in, 3600);
    assert.ok(Math.abs(session.expires_at - session.expires_in - Date.now() / 1000) < 60);
    const { claims } = readToken(session.access_token);
    assert.equal(claims.exp, session.expires_at);
    assert.equal(claims.session_id, readToken(guest.token).claims.session_id);
    const renewed = asGuest(target.url, { user_id: guest.userId, ...session });
    assert.equal((await renewed.profile()).id, guest.userId);
    assert.equal((await renew(session.refresh_token)).user.id, guest.userId);
  });

  test('repeated with the token just used, because the answer was lost, returns the active token', async () => {
    const guest = await newGuest(target.url);
    const first = await renew(guest.refreshToken);
    const again = await renew(guest.refreshToken);
    assert.equal(again.refresh_token, first.refresh_token);
    const second = await renew(first.refresh_token);
    assert.equal((await renew(first.refresh_token)).refresh_token, second.refresh_token);
    assert.equal((await renew(second.refresh_token)).user.id, guest.userId);
  });

  test('sent twenty times at once, as at the start of an app, ends with one active token', async () => {
    const guest = await newGuest(target.url);
    const sessions = await Promise.all(Array.from({ length: 20 }, () => renew(guest.refreshToken)));
    assert.equal(new Set(sessions.map(({ refresh_token }) => refresh_token)).size, 1);
    const [{ refresh_token } = { refresh_token: '' }] = sessions;
    assert.equal((await renew(refresh_token)).user.id, guest.userId);
  });

  test('with an older token closes the whole session, for the thief and for the owner', async () => {
    for (const headers of [{}, VERSION]) {
      const isVersioned = headers === VERSION;
      const guest = await newGuest(target.url);
      const first = await renew(guest.refreshToken);
      const second = await renew(first.refresh_token);
      const stolen = await refresh(target.url, guest.refreshToken, { headers });
      assertAuthRefused(stolen, 400, 'refresh_token_already_used', isVersioned);
      for (const token of [second.refresh_token, first.refresh_token]) {
        const reply = await refresh(target.url, token, { headers });
        assertAuthRefused(reply, 400, 'session_not_found', isVersioned);
      }
      assert.match(stolen.text, /Invalid Refresh Token: Already Used/);
    }
  });

  test('leaves other sessions of the same account open when one is closed', async () => {
    const guest = await newGuest(target.url);
    const body = { device_id: guest.deviceId, device_token: guest.deviceToken };
    const other = expectStatus(await deviceCheck(target.url, body), 200).body;
    assert.equal(other.user_id, guest.userId);
    assert.notEqual(readToken(other.access_token).claims.session_id, readToken(guest.token).claims.session_id);
    await renew((await renew(guest.refreshToken)).refresh_token);
    assert.equal((await refresh(target.url, guest.refreshToken)).status, 400);
    assert.equal((await renew(other.refresh_token)).user.id, guest.userId);
  });

  test('with an unknown token is refresh_token_not_found, in either error format', async () => {
    const guest = await newGuest(target.url);
    for (const token of [
      'x',
      randomUUID(),
      randomBytes(32).toString('base64url'),
      `${guest.refreshToken}x`,
      guest.refreshToken.slice(0, -1),
      guest.refreshToken.toLowerCase(),
      guest.token,
      'x'.repeat(20_000),
      "' or 1=1 --",
    ]) {
      assertAuthRefused(await refresh(target.url, token), 400, 'refresh_token_not_found', false);
      const reply = await refresh(target.url, token, { headers: VERSION });
      assertAuthRefused(reply, 400, 'refresh_token_not_found', true);
      assert.match(reply.text, /Invalid Refresh Token: Refresh Token Not Found/);
    }
    assert.equal((await renew(guest.refreshToken)).user.id, guest.userId, 'guessing does not close the session');
  });

  test('without a token is an OAuth error', async () => {
    for (const body of [
      {},
      { refresh_token: '' },
      { refresh_token: null },
      { refresh_token: 1 },
      { refresh_token: ['x'] },
    ]) {
      for (const headers of [{}, VERSION]) {
        const reply = expectStatus(await call(target.url, 'POST', REFRESH, { body, headers }), 400);
        assert.deepEqual(reply.body, { error: 'invalid_request', error_description: 'refresh_token required' });
      }
    }
  });

  test('with another grant type is refused', async () => {
    for (const query of ['', '?grant_type=', '?grant_type=client_credentials', '?grant_type=REFRESH_TOKEN']) {
      const guest = await newGuest(target.url);
      const body = { refresh_token: guest.refreshToken };
      const reply = await call<AuthFailure>(target.url, 'POST', `/auth/v1/token${query}`, { body });
      assertAuthRefused(reply, 400, 'invalid_credentials', false);
      assert.match(reply.text, /unsupported_grant_type/);
      assert.equal((await renew(guest.refreshToken)).user.id, guest.userId);
    }
  });

  test('ignores Authorization, because the clients send their public key in it', async () => {
    const guest = await newGuest(target.url);
    const reply = await refresh(target.url, guest.refreshToken, {
      token: 'sb_publishable_x',
      headers: { apikey: 'x' },
    });
    expectStatus(reply, 200);
  });

  test('with an invalid body is refused in the error format of the clients', async () => {
    const large = JSON.stringify({ refresh_token: 'x'.repeat(1024 * 1024) });
    for (const headers of [{}, VERSION]) {
      for (const [body, type, status, code] of [
        ['{', 'application/json', 400, 'bad_json'],
        ['[]', 'application/json', 400, 'bad_json'],
        ['{"refresh_token":"a\\u0000b"}', 'application/json', 400, 'validation_failed'],
        ['refresh_token=x', 'application/x-www-form-urlencoded', 415, 'validation_failed'],
        [large, 'application/json', 413, 'request_entity_too_large'],
      ] as const) {
        const reply = await call<AuthFailure>(target.url, 'POST', REFRESH, {
          body,
          headers: { 'Content-Type': type, ...headers },
        });
        assertAuthRefused(reply, status, code, headers === VERSION);
      }
    }
  });

  test('can be read by a page of another origin, the error code too', async () => {
    const headers = { Origin: 'https://app.example.com', ...VERSION };
    const reply = await refresh(target.url, 'x', { headers });
    assert.ok(reply.headers.get('access-control-allow-origin'));
    assert.match(reply.headers.get('access-control-expose-headers') ?? '', /x-supabase-api-version/i);
    const preflight = await call(target.url, 'OPTIONS', REFRESH, {
      headers: {
        Origin: 'https://app.example.com',
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'apikey,authorization,content-type,x-client-info,x-supabase-api-version',
      },
    });
    assert.ok([200, 204].includes(preflight.status));
    assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /x-supabase-api-version/i);
  });
});

describe('a device that onboards again', () => {
  test('gets a new session each time, and the tokens of all sessions work', async () => {
    const device = randomUUID();
    const body = { device_id: randomUUID(), device_token: deviceTokenOf(device) };
    const sessions = [];
    for (let count = 0; count < 3; count += 1)
      sessions.push(expectStatus(await deviceCheck(target.url, body), 200).body);
    assert.equal(new Set(sessions.map(({ user_id }) => user_id)).size, 1);
    assert.equal(new Set(sessions.map(({ refresh_token }) => refresh_token)).size, 3);
    assert.deepEqual(
      sessions.map(({ is_new, credits_remaining }) => [is_new, credits_remaining]),
      [
        [true, 10],
        [false, 10],
        [false, 10],
      ],
    );
    for (const { refresh_token } of sessions) await renew(refresh_token);
  });
});
