/** Access: the token alone identifies the caller, and what belongs to another user is answered as not found. */
import assert from 'node:assert/strict';
import { createPublicKey, randomUUID, verify } from 'node:crypto';
import { describe, test } from 'node:test';
import { startServerOnDatabase } from '../support/server-on-database.ts';
import { call, expectStatus } from './support/api.ts';
import { newGuest } from './support/guest.ts';
import { assertRefused } from './support/refusal.ts';
import { labelOf, type Route, USER_ROUTES } from './support/routes.ts';
import { freePort, OWN_SERVER, useServer, useTarget } from './support/target.ts';
import { type Claims, encode, hmacToken, type Jwk, newKey, readToken, signedToken } from './support/tokens.ts';

const target = useTarget();

function callRoute(
  base: string,
  route: Route,
  headers: Record<string, string>,
  change: { query?: string; body?: object } = {},
) {
  const path = route.name + (route.query ?? '') + (change.query ?? '');
  const body = route.body && { ...route.body, ...change.body };
  return call(base, route.method, path, { headers: { 'Idempotency-Key': randomUUID(), ...headers }, body });
}

const BASE64URL = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'];

describe('without a valid token', () => {
  for (const route of USER_ROUTES) {
    test(`${labelOf(route)} is 401`, async () => {
      const { token } = await newGuest(target.url);
      const reply = await callRoute(target.url, route, {});
      assertRefused(reply, 401, 'ERR_4005');
      assert.match(reply.headers.get('www-authenticate') ?? '', /^Bearer/);
      for (const value of [
        '',
        'Bearer',
        'Bearer ',
        `Basic ${token}`,
        token,
        'Bearer x',
        'Bearer a.b.c',
        `Bearer ${token}x`,
        `Bearer ${token} ${token}`,
        `Bearer ${'x'.repeat(15_000)}`,
      ]) {
        assertRefused(await callRoute(target.url, route, { Authorization: value }), 401, 'ERR_4005');
      }
      assertRefused(await callRoute(target.url, route, { apikey: token }), 401, 'ERR_4005');
      assertRefused(await callRoute(target.url, route, { Cookie: `access_token=${token}` }), 401, 'ERR_4005');
      const separator = route.query ? '&' : '?';
      assertRefused(
        await callRoute(target.url, route, {}, { query: `${separator}access_token=${token}` }),
        401,
        'ERR_4005',
      );
    });
  }

  test('the name of the scheme is accepted in any case, and an apikey beside it is ignored', async () => {
    const { token } = await newGuest(target.url);
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      const headers = { Authorization: `${scheme} ${token}`, apikey: 'anything' };
      expectStatus(await call(target.url, 'GET', 'get-user-credits', { headers }), 200);
    }
  });

  test('public endpoints ignore Authorization', async () => {
    for (const Authorization of ['Bearer forged', 'Basic x', 'nonsense']) {
      const headers = { Authorization };
      expectStatus(await call(target.url, 'GET', 'get-models', { headers }), 200);
      const body = { device_id: randomUUID(), device_token: btoa(`device:${randomUUID()}`) };
      expectStatus(await call(target.url, 'POST', 'device-check', { headers, body }), 200);
    }
  });
});

describe('a user_id in a request', () => {
  for (const route of USER_ROUTES.filter(({ name }) => name !== 'job-events')) {
    test(`${labelOf(route)} accepts that of the caller and refuses any other`, async () => {
      const [mine, other] = [await newGuest(target.url), await newGuest(target.url)];
      const headers = { Authorization: `Bearer ${mine.token}` };
      const separator = route.query ? '&' : '?';
      const plain = await callRoute(target.url, route, headers);
      for (const id of [mine.userId, mine.userId.toUpperCase()]) {
        const inQuery = await callRoute(target.url, route, headers, { query: `${separator}user_id=${id}` });
        assert.equal(inQuery.status, plain.status, inQuery.text);
        if (route.body)
          assert.equal((await callRoute(target.url, route, headers, { body: { user_id: id } })).status, plain.status);
      }
      for (const id of [other.userId, other.userId.toUpperCase(), randomUUID()]) {
        const inQuery = await callRoute(target.url, route, headers, { query: `${separator}user_id=${id}` });
        assertRefused(inQuery, 403, 'ERR_4005');
        if (route.body)
          assertRefused(await callRoute(target.url, route, headers, { body: { user_id: id } }), 403, 'ERR_4005');
      }
      const odd = await callRoute(target.url, route, headers, { query: `${separator}user_id=me` });
      assert.ok([400, 403].includes(odd.status), odd.text);
      if (route.body) {
        for (const id of [1, {}, [mine.userId], true]) {
          const reply = await callRoute(target.url, route, headers, { body: { user_id: id } });
          assert.ok([400, 403].includes(reply.status), reply.text);
        }
      }
    });
  }

  test("a stream of another user's events is refused before it begins", async () => {
    const [mine, other] = [await newGuest(target.url), await newGuest(target.url)];
    assertRefused(await mine.get(`job-events?user_id=${other.userId}`), 403, 'ERR_4005');
  });
});

describe('what belongs to another user', () => {
  test('is answered byte for byte like what does not exist, on every route that names a job', async () => {
    const [owner, stranger] = [await newGuest(target.url), await newGuest(target.url)];
    const { job_id: theirs } = await owner.start();
    const answersFor = async (jobId: string) => {
      const replies = [
        await stranger.get(`get-video-status?job_id=${jobId}`),
        await stranger.get(`check-video-job-status?job_id=${jobId}`),
        await stranger.post('cancel-video-job', { job_id: jobId }),
        await stranger.post('cancel-video-job', { job_id: jobId }, { headers: { 'Idempotency-Key': randomUUID() } }),
        await stranger.post('delete-video-job', { job_id: jobId }),
        await call(target.url, 'DELETE', 'delete-video-job', { token: stranger.token, body: { job_id: jobId } }),
      ];
      for (const reply of replies) assertRefused(reply, 404, 'ERR_4007');
      return replies.map(({ text, headers }) => [text, headers.get('content-length'), headers.get('content-language')]);
    };
    const missing = await answersFor(randomUUID());
    assert.deepEqual(await answersFor(theirs), missing);
    assert.deepEqual(await answersFor(theirs.toUpperCase()), missing);
    assert.deepEqual((await stranger.jobs()).jobs, []);
    assert.equal((await owner.job(theirs)).error_code, null);
    await owner.cancel(theirs);
    assert.deepEqual(await answersFor(theirs), missing);
  });

  test('device ids are shown to their owner only, and internal fields to no user', async () => {
    const [owner, other] = [await newGuest(target.url), await newGuest(target.url)];
    assert.equal((await owner.profile()).device_id, owner.deviceId);
    const replies = [
      await other.get('get-user-profile'),
      await other.get('get-video-jobs'),
      await other.get('get-credit-history'),
      await call(target.url, 'GET', 'get-models'),
    ];
    for (const { text } of replies) assert.equal(text.includes(owner.deviceId), false);
    const mine = await owner.get('get-user-profile');
    assert.doesNotMatch(mine.text, /is_admin|password|token|secret|hash|deleted_at/);
  });
});

describe('access tokens', () => {
  const keysOf = async (base: string) =>
    (await call<{ keys: Jwk[] }>(base, 'GET', '/auth/v1/.well-known/jwks.json')).body.keys;

  test('carry the claims that the Supabase clients expect, and no others', async () => {
    const guest = await newGuest(target.url);
    const { header, claims } = readToken(guest.token);
    assert.deepEqual(
      { alg: header.alg, typ: header.typ, kid: typeof header.kid },
      { alg: 'ES256', typ: 'JWT', kid: 'string' },
    );
    const { iss, exp, iat, amr, session_id, ...rest } = claims;
    assert.deepEqual(rest, {
      sub: guest.userId,
      aud: 'authenticated',
      email: '',
      phone: '',
      app_metadata: {},
      user_metadata: {},
      role: 'authenticated',
      aal: 'aal1',
      is_anonymous: true,
    });
    assert.match(String(iss), /^https?:\/\/.+\/auth\/v1$/);
    assert.equal(Number(exp) - Number(iat), 3600);
    assert.ok(Math.abs(Number(iat) - Date.now() / 1000) < 60);
    assert.match(String(session_id), /^[0-9a-f-]{36}$/);
    assert.ok(Array.isArray(amr));
    assert.equal(amr.length, 1);
    assert.equal(amr[0].method, 'anonymous');
    assert.ok(Number.isInteger(amr[0].timestamp));
  });

  test('can be verified with the published keys, which hold no private part', async () => {
    const guest = await newGuest(target.url);
    const reply = expectStatus(await call<{ keys: Jwk[] }>(target.url, 'GET', '/auth/v1/.well-known/jwks.json'), 200);
    assert.match(reply.headers.get('cache-control') ?? '', /^public, max-age=600$/);
    assert.deepEqual(Object.keys(reply.body), ['keys']);
    for (const key of reply.body.keys) {
      assert.equal('d' in key, false);
      assert.deepEqual([key.kty, key.crv, key.alg], ['EC', 'P-256', 'ES256']);
      assert.ok(key.kid);
    }
    const { header } = readToken(guest.token);
    const jwk = reply.body.keys.find(({ kid }) => kid === header.kid);
    assert.ok(jwk);
    const [head, body, signature = ''] = guest.token.split('.');
    const key = { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' as const };
    assert.ok(verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url')));
  });

  test('are refused if any part of them is forged', async () => {
    const guest = await newGuest(target.url);
    const victim = await newGuest(target.url);
    const { header, claims } = readToken(guest.token);
    const [head = '', body = '', signature = ''] = guest.token.split('.');
    const [jwk] = await keysOf(target.url);
    assert.ok(jwk);
    const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
    const own = newKey();
    const ownJwk = { ...own.publicKey.export({ format: 'jwk' }), kid: header.kid, alg: 'ES256' };
    const theirs = { ...claims, sub: victim.userId };
    const forgeries: Record<string, string> = {
      'alg none': `${encode({ ...header, alg: 'none' })}.${body}.`,
      'alg none, signed': `${encode({ ...header, alg: 'none' })}.${body}.${signature}`,
      'alg None': `${encode({ ...header, alg: 'None' })}.${body}.`,
      'HMAC with the public PEM': hmacToken(
        { ...header, alg: 'HS256' },
        theirs,
        publicKey.export({ type: 'spki', format: 'pem' }),
      ),
      'HMAC with the public DER': hmacToken(
        { ...header, alg: 'HS256' },
        theirs,
        publicKey.export({ type: 'spki', format: 'der' }),
      ),
      'HMAC with the JWK': hmacToken({ ...header, alg: 'HS256' }, theirs, JSON.stringify(jwk)),
      'HMAC with an empty secret': hmacToken({ ...header, alg: 'HS256' }, theirs, ''),
      'another key': signedToken(header, theirs, own.privateKey),
      'another key, no kid': signedToken({ alg: 'ES256', typ: 'JWT' }, theirs, own.privateKey),
      'another key, in the header': signedToken({ ...header, jwk: ownJwk }, theirs, own.privateKey),
      'another key, at a URL': signedToken(
        { ...header, jku: 'https://evil.example.com/jwks.json' },
        theirs,
        own.privateKey,
      ),
      'another subject': `${head}.${encode(theirs)}.${signature}`,
      'another header': `${encode({ ...header, kid: 'x' })}.${body}.${signature}`,
      'no signature': `${head}.${body}.`,
      'no signature at all': `${head}.${body}`,
      'a signature of zeros': `${head}.${body}.${Buffer.alloc(64).toString('base64url')}`,
      'the DER form': `${head}.${body}.${Buffer.concat([Buffer.from([0x30, 0x44]), Buffer.from(signature, 'base64url')]).toString('base64url')}`,
      'five parts': `${head}.${body}.${signature}.x.y`,
      'a kid that is a path': signedToken({ ...header, kid: '../../../../dev/null' }, theirs, own.privateKey),
      'the refresh token': guest.refreshToken,
    };
    for (const [what, token] of Object.entries(forgeries)) {
      const reply = await call(target.url, 'GET', 'get-user-profile', { token });
      assert.equal(reply.status, 401, `${what}: ${reply.text}`);
      assertRefused(reply, 401, 'ERR_4005');
    }
  });

  test('are refused when a single character of them was changed, the last one included', async () => {
    const guest = await newGuest(target.url);
    const changes = [
      guest.token.length - 1,
      guest.token.length - 2,
      guest.token.lastIndexOf('.') + 1,
      5,
      guest.token.indexOf('.') + 5,
    ];
    const forgeries = changes.flatMap((at) =>
      BASE64URL.filter((letter) => letter !== guest.token[at]).map(
        (letter) => guest.token.slice(0, at) + letter + guest.token.slice(at + 1),
      ),
    );
    const replies = await Promise.all(forgeries.map((token) => call(target.url, 'GET', 'get-user-credits', { token })));
    assert.deepEqual(new Set(replies.map(({ status }) => status)), new Set([401]));
    expectStatus(await guest.get('get-user-credits'), 200);
  });
});

describe('a server whose signing key is known to the test', OWN_SERVER, () => {
  const key = newKey();
  const retired = newKey();
  const anonKey = 'sb_publishable_0123456789abcdef';
  const own = useServer({
    JWT_PRIVATE_KEY: key.pem.replaceAll('\n', '\\n'),
    JWT_PREVIOUS_KEYS: JSON.stringify({ keys: [retired.publicKey.export({ format: 'jwk' })] }),
    SUPABASE_URL: 'https://abcdefgh.supabase.co',
    SUPABASE_ANON_KEY: anonKey,
    SUPABASE_SERVICE_ROLE_KEY: 'sb_secret_0123456789abcdef',
    WORKER: 'off',
  });

  /** The status of a call with a guest's token after some claims are changed; undefined removes a claim. */
  async function statusWith(change: Claims, header: Claims = {}, signer = key): Promise<number> {
    const guest = await newGuest(own.url);
    const made = readToken(guest.token);
    const token = signedToken({ ...made.header, ...header }, { ...made.claims, ...change }, signer.privateKey);
    const reply = await call(own.url, 'GET', 'get-user-profile', { token });
    if (reply.status !== 200) assertRefused(reply, 401, 'ERR_4005');
    else assert.equal(reply.body.id, change.sub === undefined ? guest.userId : String(change.sub).toLowerCase());
    return reply.status;
  }

  test('key, audience and expiry are checked, the issuer is not', async () => {
    const now = Math.floor(Date.now() / 1000);
    assert.equal(await statusWith({}), 200);
    assert.equal(await statusWith({ iss: 'https://elsewhere.example.com/auth/v1' }), 200);
    assert.equal(await statusWith({ iss: undefined }), 200);
    for (const [what, claims] of Object.entries({
      'expired a second ago': { exp: now - 1 },
      'expired long ago': { exp: 0, iat: 0 },
      'without an expiry': { exp: undefined },
      'with an expiry in words': { exp: 'tomorrow' },
      'not yet valid': { nbf: now + 3600 },
      'another audience': { aud: 'anon' },
      'no audience': { aud: undefined },
      'several other audiences': { aud: ['anon', 'service_role'] },
      'without a subject': { sub: undefined },
      'a subject without an account': { sub: randomUUID() },
      'a name as the subject': { sub: 'admin' },
      'an SQL injection as the subject': { sub: "' or 1=1 --" },
    })) {
      assert.equal(await statusWith(claims), 401, what);
    }
    assert.equal(await statusWith({}, { crit: ['exp'] }), 401, 'an unknown critical header');
    assert.equal(await statusWith({}, {}, newKey()), 401, 'an unknown key');
  });

  test('the message for an expired token is another than for a forged one', async () => {
    const guest = await newGuest(own.url);
    const { header, claims } = readToken(guest.token);
    const expired = signedToken(header, { ...claims, exp: Math.floor(Date.now() / 1000) - 5 }, key.privateKey);
    const replies = [expired, 'a.b.c'].map((token) =>
      call<{ error: { message: string } }>(own.url, 'GET', 'get-user-credits', { token }),
    );
    const [one, two] = await Promise.all(replies);
    assert.notEqual(one?.body.error.message, two?.body.error.message);
  });

  test('tokens of a retired key are accepted, and the key is published beside the new one', async () => {
    const { keys } = (await call<{ keys: Jwk[] }>(own.url, 'GET', '/auth/v1/.well-known/jwks.json')).body;
    assert.equal(keys.length, 2);
    const { x } = retired.publicKey.export({ format: 'jwk' });
    const published = keys.find((jwk) => jwk.x === x);
    assert.ok(published);
    assert.equal(await statusWith({}, { kid: published.kid }, retired), 200);
  });

  test('claims about roles grant nothing', async () => {
    const guest = await newGuest(own.url);
    const { header, claims } = readToken(guest.token);
    const elevated = { ...claims, role: 'service_role', is_admin: true, app_metadata: { admin: true } };
    const token = signedToken(header, elevated, key.privateKey);
    assertRefused(await call(own.url, 'GET', 'admin-overview', { token }), 403, 'ERR_4005');
    const asAdministrator = signedToken(header, { ...elevated, aud: 'rendio-admin' }, key.privateKey);
    assertRefused(await call(own.url, 'GET', 'admin-overview', { token: asAdministrator }), 401, 'ERR_4005');
    const plain = await guest.get('get-user-profile');
    assert.equal((await call(own.url, 'GET', 'get-user-profile', { token })).text, plain.text);
  });

  test('the public API key of the Supabase clients does not count as a token', async () => {
    const withKey = await call(own.url, 'GET', 'get-user-credits', { token: anonKey });
    assertRefused(withKey, 401, 'ERR_4005');
    const without = await call(own.url, 'GET', 'get-user-credits');
    assert.equal(withKey.text, without.text);
    expectStatus(await call(own.url, 'GET', 'get-models', { token: anonKey }), 200);
  });
});

test('tokens name the public URL of the server as their issuer', OWN_SERVER, async () => {
  for (const publicUrl of [undefined, 'https://api.example.com']) {
    const port = await freePort();
    const urlVariables = publicUrl ? { PUBLIC_URL: publicUrl } : {};
    await using server = await startServerOnDatabase({ env: { PORT: String(port), WORKER: 'off', ...urlVariables } });
    assert.equal(server.url, publicUrl ?? `http://localhost:${port}`);
    const guest = await newGuest(`http://localhost:${port}`);
    assert.equal(readToken(guest.token).claims.iss, `${server.url}/auth/v1`);
  }
});
