/** Failures of the auth API: status, code and words as in Supabase Auth, in each of its formats. */
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { type CallOptions, call, type Json, type Reply } from '../api.ts';
import { REFRESH, VERSION } from '../refresh.ts';
import { assertFailed, type Door, dataOf, newDevice, newGuestDevice } from './clients.ts';

const ID_TOKEN = '/auth/v1/token?grant_type=id_token';
const USER = '/auth/v1/user';
type Request = [method: string, path: string, options?: CallOptions | undefined];

/** What a request that is refused looks like: its status, its code, and a part of its message. */
type Refusal = [request: Request, status: number, code: string, message: RegExp];

/** Sends the request in each version of the API. */
async function assertRefusals(door: Door, refusals: Refusal[]): Promise<void> {
  for (const [[method, path, options = {}], status, code, message] of refusals) {
    const send = (headers: Record<string, string>): Promise<Reply<Json>> =>
      call(door.url, method, path, { ...options, headers: { ...options.headers, ...headers } });
    const label = `${method} ${path} ${JSON.stringify(options.body)?.slice(0, 100)}`;
    const versioned = await send(VERSION);
    assert.deepEqual([versioned.status, versioned.body.code], [status, code], `${label}: ${versioned.text}`);
    assert.deepEqual(Object.keys(versioned.body), ['code', 'message'], label);
    assert.match(String(versioned.body.message), message, label);
    assert.equal(versioned.headers.get('x-supabase-api-version'), '2024-01-01', label);
    assert.equal(versioned.headers.get('x-sb-error-code'), code, label);
    for (const headers of [{}, { 'X-Supabase-Api-Version': '2023-12-31' }, { 'X-Supabase-Api-Version': 'newest' }]) {
      const first = await send(headers);
      assert.deepEqual([first.status, first.body.code, first.body.error_code], [status, status, code], label);
      assert.deepEqual(Object.keys(first.body), ['code', 'error_code', 'msg'], label);
      assert.equal(first.body.msg, versioned.body.message, label);
      assert.equal(first.headers.get('x-supabase-api-version'), null, label);
    }
  }
}

export function testErrors(door: Door): void {
  describe('an error of the auth API', () => {
    testNoAccount(door);
    testGrants(door);
    testRoutes(door);
    testIdentityTokens(door);
    testCodes(door);
  });
}

function testNoAccount(door: Door): void {
  test('without an account: no bearer token, none of ours, an ended session, a deleted account', async () => {
    const ended = (await newGuestDevice(door)).session.access_token;
    await call(door.url, 'POST', '/auth/v1/logout', { token: ended });
    const deleted = (await newGuestDevice(door)).session.access_token;
    assert.equal((await call(door.url, 'POST', 'delete-account', { token: deleted, body: {} })).status, 200);
    const routes: Request[] = [
      ['GET', USER],
      ['PUT', USER, { body: { data: { a: 1 } } }],
      ['POST', '/auth/v1/logout'],
      ['POST', ID_TOKEN, { body: { provider: 'apple', id_token: 'x', link_identity: true } }],
    ];
    const refusals = routes.flatMap(([method, path, options]): Refusal[] => {
      const as = (Authorization: string): Request => [method, path, { ...options, headers: { Authorization } }];
      const bearer = (token: string) => as(`Bearer ${token}`);
      return [
        [[method, path, options], 401, 'no_authorization', /^This endpoint requires a valid Bearer token$/],
        [as('Basic YTpi'), 401, 'no_authorization', /^This endpoint requires a valid Bearer token$/],
        [as('Bearer two words'), 401, 'no_authorization', /^This endpoint requires a valid Bearer token$/],
        [bearer('x'), 403, 'bad_jwt', /^invalid JWT: unable to parse or verify signature, /],
        [bearer(`${ended.slice(0, -4)}AAAA`), 403, 'bad_jwt', /^invalid JWT: unable to parse or verify signature, /],
        [bearer(ended), 403, 'session_not_found', /^Session from session_id claim in JWT does not exist$/],
        [bearer(deleted), 403, 'user_not_found', /^User from sub claim in JWT does not exist$/],
      ];
    });
    await assertRefusals(door, refusals);
  });
}

function testGrants(door: Door): void {
  test('of a grant that is not offered, or of a body that is not JSON', async () => {
    const token = (grant: string, body: unknown): Request => ['POST', `/auth/v1/token?grant_type=${grant}`, { body }];
    const google = { provider: 'google', id_token: await door.apple.identityToken() };
    await assertRefusals(door, [
      [token('client_credentials', {}), 400, 'invalid_credentials', /^unsupported_grant_type$/],
      [['POST', '/auth/v1/token', { body: {} }], 400, 'invalid_credentials', /^unsupported_grant_type$/],
      [
        token('password', { email: 'a@b.c', password: 'x' }),
        422,
        'email_provider_disabled',
        /^Email logins are disabled$/,
      ],
      [token('password', { phone: '1', password: 'x' }), 422, 'phone_provider_disabled', /^Phone logins are disabled$/],
      [token('password', {}), 400, 'validation_failed', /^missing email or phone$/],
      [token('pkce', { auth_code: 'x', code_verifier: 'y' }), 404, 'flow_state_not_found', /^invalid flow state/],
      [token('web3', {}), 422, 'web3_provider_disabled', /^Web3 provider is disabled$/],
      [token('id_token', google), 400, 'provider_disabled', /^Provider \(issuer "google"\) is not enabled$/],
      [
        ['POST', '/auth/v1/signup', { body: { email: 'a@b.c', password: 'x' } }],
        400,
        'email_provider_disabled',
        /signups/,
      ],
      [['POST', '/auth/v1/signup', { body: { phone: '1', password: 'x' } }], 400, 'phone_provider_disabled', /signups/],
      [['POST', '/auth/v1/signup', { body: { data: 'x' } }], 400, 'bad_json', /^Could not parse request body as JSON/],
      [['POST', '/auth/v1/signup', { body: '{"data":' }], 400, 'bad_json', /./],
      [['POST', REFRESH, { body: '[]' }], 400, 'bad_json', /./],
      [['POST', REFRESH, { body: { refresh_token: 'x'.repeat(100_000) } }], 413, 'request_entity_too_large', /./],
      [['POST', REFRESH, { body: { refresh_token: 'unknown' } }], 400, 'refresh_token_not_found', /Token Not Found$/],
    ]);
  });
}

function testRoutes(door: Door): void {
  test('of a path or a method that the auth API does not have', async () => {
    await assertRefusals(door, [
      [['GET', '/auth/v1'], 404, 'not_found', /./],
      [['GET', '/auth/v1/nowhere'], 404, 'not_found', /./],
      [['POST', '/auth/v1/otp', { body: {} }], 404, 'not_found', /./],
      [['GET', '/auth/v1/token'], 405, 'method_not_allowed', /./],
      [['DELETE', USER], 405, 'method_not_allowed', /./],
      [['POST', '/auth/v1/.well-known/jwks.json', { body: {} }], 405, 'method_not_allowed', /./],
    ]);
    const reply = await call(door.url, 'DELETE', USER);
    assert.equal(reply.headers.get('allow'), 'GET, HEAD, PUT');
  });
}

function testIdentityTokens(door: Door): void {
  test('of a refused identity token has OAuth’s form, says why only about nonces, and makes no account', async () => {
    const { apple } = door;
    const raw = randomUUID();
    const nonce = createHash('sha256').update(raw).digest('hex');
    const both = 'Passed nonce and nonce in id_token should either both exist or not.';
    const bad = { error: 'invalid request', error_description: 'Bad ID token' };
    const required = { error: 'invalid request', error_description: 'id_token required' };
    const guest = await newGuestDevice(door);
    const body = async (claims: object, more: object = {}) => ({
      provider: 'apple',
      id_token: await apple.identityToken({ ...claims }),
      ...more,
    });
    for (const [sent, expected] of [
      [{ provider: 'apple', id_token: 'x' }, bad],
      [{ provider: 'apple', id_token: await apple.foreignToken() }, bad],
      [await body({ aud: 'com.example.other' }), bad],
      [await body({ iss: 'https://accounts.google.com' }), bad],
      [await body({ exp: 1 }), bad],
      [await body({ nonce }), { error: 'invalid request', error_description: both }],
      [await body({}, { nonce: raw }), { error: 'invalid request', error_description: both }],
      [await body({ nonce }, { nonce }), { error: 'invalid nonce', error_description: 'Nonces mismatch' }],
      [{ provider: 'apple' }, required],
      [{ provider: 'apple', id_token: '' }, required],
      [{ id_token: 'x' }, { error: 'invalid request', error_description: 'provider or client_id and issuer required' }],
    ] as const) {
      for (const headers of [{}, VERSION]) {
        for (const link of [{}, { link_identity: true }]) {
          const options = { body: { ...sent, ...link }, headers, token: guest.session.access_token };
          const reply = await call(door.url, 'POST', ID_TOKEN, options);
          assert.deepEqual([reply.status, reply.body], [400, expected], JSON.stringify(options.body));
        }
      }
    }
    assert.equal(dataOf(await guest.supabase.auth.getUser()).user.is_anonymous, true);
    const { supabase } = newDevice(door);
    const failed = await supabase.auth.signInWithIdToken({ provider: 'apple', token: 'x' });
    assertFailed(failed, 400, undefined);
    assert.equal(failed.error?.message, 'Bad ID token');
  });
}

function testCodes(door: Door): void {
  test('reaches an app with its status and its code', async () => {
    const { supabase, session } = await newGuestDevice(door);
    assertFailed(await supabase.auth.getUser('x.y.z'), 403, 'bad_jwt');
    assertFailed(await supabase.auth.signUp({ email: 'a@b.c', password: 'x' }), 400, 'email_provider_disabled');
    const login = await supabase.auth.signInWithPassword({ email: 'a@b.c', password: 'x' });
    assertFailed(login, 422, 'email_provider_disabled');
    const token = await door.apple.identityToken();
    assertFailed(await supabase.auth.signInWithIdToken({ provider: 'google', token }), 400, 'provider_disabled');
    const unknown = { refresh_token: 'unknown' };
    assertFailed(await newDevice(door).supabase.auth.refreshSession(unknown), 400, 'refresh_token_not_found');
    await call(door.url, 'POST', 'delete-account', { token: session.access_token, body: {} });
    assertFailed(await supabase.auth.getUser(session.access_token), 403, 'user_not_found');
    assertFailed(await newDevice(door).supabase.auth.refreshSession(session), 400, 'refresh_token_not_found');
  });
}
