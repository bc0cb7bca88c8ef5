/** What is sent to Apple for a code or a token, and what each of its answers means. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { decodeJwt, decodeProtectedHeader, importSPKI, jwtVerify, UnsecuredJWT } from 'jose';
import { type AppleSignInOptions, createAppleSignIn } from '../../src/apple/sign-in.ts';

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const privateKey = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const publicPem = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const NOW = new Date('2026-11-23T10:00:00.900Z');
const SECONDS = Math.floor(NOW.getTime() / 1000);
const CLIENT = 'com.example.rendio';

type Sent = { url: string; init: RequestInit; form: URLSearchParams };

function bench(reply: (sent: Sent) => Response | Promise<Response>, more: Partial<AppleSignInOptions> = {}) {
  const sent: Sent[] = [];
  const signIn = createAppleSignIn({
    ...{ teamId: 'TEAM000000', keyId: 'KEY0000000', privateKey, baseUrl: 'https://apple.example/id/' },
    clock: { now: () => NOW },
    fetch: async (url, init = {}) => {
      const call = { url: String(url), init, form: new URLSearchParams(String(init.body)) };
      sent.push(call);
      return reply(call);
    },
    ...more,
  });
  return { signIn, sent };
}

const tokens = (more: object = {}) => ({
  access_token: 'a',
  token_type: 'Bearer',
  expires_in: 3600,
  refresh_token: 'r.1',
  ...more,
});
const idTokenOf = (sub: unknown) => new UnsecuredJWT({ sub: sub as string }).encode();

test('a code is exchanged with a form that has Apple’s fields, in the name of the app that it belongs to', async () => {
  const { signIn, sent } = bench(() => Response.json(tokens({ id_token: idTokenOf('001.a') })));
  const code = 'c0de+with/all=kinds&of 1.0.signs';
  assert.deepEqual(await signIn.exchangeCode(CLIENT, code), { state: 'exchanged', refreshToken: 'r.1', sub: '001.a' });
  const [{ url, init, form }] = sent as [Sent];
  assert.equal(url, 'https://apple.example/id/auth/token');
  assert.deepEqual([init.method, init.redirect], ['POST', 'error']);
  assert.match(new Request(url, init).headers.get('content-type') ?? '', /^application\/x-www-form-urlencoded/);
  const { client_secret, ...fields } = Object.fromEntries(form);
  assert.deepEqual(fields, { client_id: CLIENT, grant_type: 'authorization_code', code });
  assert.ok(client_secret);
});

test('the client secret is what Apple demands: ES256, key id, team, app, Apple as audience, and a short life', async () => {
  const { signIn, sent } = bench(() => new Response(null));
  await signIn.revoke('com.example.rendio.web', 'r.1');
  const secret = sent[0]?.form.get('client_secret') ?? '';
  assert.deepEqual(decodeProtectedHeader(secret), { alg: 'ES256', kid: 'KEY0000000' });
  assert.deepEqual(decodeJwt(secret), {
    iss: 'TEAM000000',
    sub: 'com.example.rendio.web',
    aud: 'https://appleid.apple.com',
    iat: SECONDS,
    exp: SECONDS + 300,
  });
  await jwtVerify(secret, await importSPKI(publicPem, 'ES256'), { currentDate: NOW });
});

test('a token is revoked with its kind, and an empty 200 means that it is', async () => {
  const { signIn, sent } = bench(() => new Response(null));
  assert.deepEqual(await signIn.revoke(CLIENT, 'r.1'), { state: 'revoked' });
  assert.equal(sent[0]?.url, 'https://apple.example/id/auth/revoke');
  const { client_secret: _, ...fields } = Object.fromEntries(sent[0]?.form ?? []);
  assert.deepEqual(fields, { client_id: CLIENT, token: 'r.1', token_type_hint: 'refresh_token' });
});

const failure = (error: unknown, status = 400) =>
  Response.json({ error, error_description: `about c0de-secret and r.secret` }, { status });
const page = () => new Response('<html>c0de-secret r.secret</html>');

const unavailable = (cause: string, isOurFault = false) => ({ state: 'unavailable', cause, isOurFault });
const declined = (cause: string) => ({ state: 'declined', cause });
const revoked = { state: 'revoked' };

/** Each answer of Apple, what it means for a code, and for a revocation. */
const answers: [string, () => Response, object, object][] = [
  [
    'a code that was used, has expired or is another app’s',
    () => failure('invalid_grant'),
    declined('answered 400: invalid_grant'),
    revoked,
  ],
  [
    'a malformed request',
    () => failure('invalid_request'),
    declined('answered 400: invalid_request'),
    unavailable('answered 400: invalid_request', true),
  ],
  ...['invalid_client', 'unauthorized_client', 'unsupported_grant_type', 'invalid_scope'].flatMap((error) =>
    [400, 401].map((status): [string, () => Response, object, object] => {
      const meaning = unavailable(`answered ${status}: ${error}`, true);
      return [`${status} ${error}: our key or our request`, () => failure(error, status), meaning, meaning];
    }),
  ),
  [
    'a new error',
    () => failure('new_error'),
    unavailable('answered 400: new_error'),
    unavailable('answered 400: new_error'),
  ],
  [
    'an error that is no word',
    () => failure('r.secret c0de-secret'),
    unavailable('answered 400'),
    unavailable('answered 400'),
  ],
  [
    'an error that is no text',
    () => failure({ r: 'secret' }),
    unavailable('answered 400'),
    unavailable('answered 400'),
  ],
  [
    'too many requests',
    () => new Response('slow down', { status: 429 }),
    unavailable('answered 429'),
    unavailable('answered 429'),
  ],
  [
    'an outage',
    () => failure('invalid_grant', 503),
    unavailable('answered 503: invalid_grant'),
    unavailable('answered 503: invalid_grant'),
  ],
  ['a 200 that is a page', page, unavailable('answered 200'), unavailable('answered 200')],
  [
    'a 200 that is an error',
    () => failure('invalid_grant', 200),
    unavailable('answered 200: invalid_grant'),
    unavailable('answered 200: invalid_grant'),
  ],
  ['a huge 200', () => new Response('x'.repeat(200_000)), unavailable('answered 200'), unavailable('answered 200')],
  ['an empty 200', () => new Response(''), unavailable('answered 200'), revoked],
  ['an empty object', () => Response.json({}), unavailable('answered 200'), revoked],
  ['a token that is no text', () => Response.json(tokens({ refresh_token: 7 })), unavailable('answered 200'), revoked],
  ['an empty token', () => Response.json(tokens({ refresh_token: '' })), unavailable('answered 200'), revoked],
  [
    'a redirect',
    () => new Response(null, { status: 302, headers: { location: 'https://x' } }),
    unavailable('answered 302'),
    unavailable('answered 302'),
  ],
];
for (const [what, reply, forCode, forRevocation] of answers) {
  test(`Apple’s answer is understood: ${what}`, async () => {
    const { signIn } = bench(reply);
    const results = [await signIn.exchangeCode(CLIENT, 'c0de-secret'), await signIn.revoke(CLIENT, 'r.secret')];
    assert.deepEqual(results, [forCode, forRevocation]);
    assert.doesNotMatch(JSON.stringify(results), /secret/);
  });
}

test('without an answer a try may succeed later, and the cause names neither code nor token', async () => {
  const failing = bench(({ form }) => {
    throw new TypeError(`fetch failed: ${form}`);
  });
  assert.deepEqual(await failing.signIn.exchangeCode(CLIENT, 'c0de-secret'), unavailable('TypeError'));
  assert.deepEqual(await failing.signIn.revoke(CLIENT, 'r.secret'), unavailable('TypeError'));
  const silent = bench(() => new Response(new ReadableStream()), { timeoutMs: 50 });
  assert.deepEqual(await silent.signIn.exchangeCode(CLIENT, 'c0de-secret'), unavailable('TimeoutError'));
});

test('a private key that cannot be used is our fault, and nothing is sent', async () => {
  const { signIn, sent } = bench(() => new Response(null), { privateKey: 'no key' });
  const meaning = unavailable('the private key cannot be used', true);
  assert.deepEqual(await signIn.exchangeCode(CLIENT, 'c0de-secret'), meaning);
  assert.deepEqual(await signIn.revoke(CLIENT, 'r.secret'), meaning);
  assert.deepEqual(sent, []);
});

test('whose code it was is said only by a readable identity token', async () => {
  for (const id_token of [undefined, 'no token', idTokenOf(undefined), idTokenOf('')]) {
    const { signIn } = bench(() => Response.json(tokens({ id_token })));
    assert.deepEqual(await signIn.exchangeCode(CLIENT, 'c'), { state: 'exchanged', refreshToken: 'r.1', sub: null });
  }
});
