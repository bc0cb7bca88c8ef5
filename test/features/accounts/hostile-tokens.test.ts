/** Forged, foreign, stale and misplaced tokens at every door: what each is answered with, and that none has any effect. */
import assert from 'node:assert/strict';
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  randomUUID,
} from 'node:crypto';
import { after, describe, test } from 'node:test';
import { createAppleIdentity } from '../../../src/apple/identity-token.ts';
import { loadDevelopmentSecrets } from '../../../src/entry/development-secrets.ts';
import { openSession } from '../../../src/features/accounts/session.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { createTestApp } from '../../support/app.ts';
import { BUNDLE_ID, ISSUER, SERVICE_ID } from '../../support/apple-id.ts';
import { forge, SIGNERS, withPayload } from '../../support/forge.ts';

const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
const [appleKey, foreignKey, foreignCurve] = [rsa(), rsa(), generateKeyPairSync('ec', { namedCurve: 'P-256' })];
const appleJwk = { ...appleKey.publicKey.export({ format: 'jwk' }), kid: 'apple-1', use: 'sig', alg: 'RS256' };
const applePem = appleKey.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const foreignJwk = { ...foreignKey.publicKey.export({ format: 'jwk' }), kid: 'apple-1', use: 'sig', alg: 'RS256' };

const appleIdentity = createAppleIdentity({
  clientIds: [BUNDLE_ID, SERVICE_ID],
  baseUrl: ISSUER,
  // Any other URL that a token names is not fetched: there is no answer for it.
  fetch: async (url) =>
    String(url) === `${ISSUER}/auth/keys` ? Response.json({ keys: [appleJwk] }) : assert.fail(String(url)),
  clock: systemClock,
});
const app = await createTestApp({ overrides: { appleIdentity } });
after(() => app[Symbol.asyncDispose]());
const ours = (await loadDevelopmentSecrets(app.dataDir)).jwtPrivateKey.reveal();
const ourKey = createPrivateKey({ key: ours as unknown as JsonWebKey, format: 'jwk' });
const ourPem = createPublicKey(ourKey).export({ type: 'spki', format: 'pem' }).toString();

const now = () => Math.floor(Date.now() / 1000);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const RAW = 'a-raw-nonce';
const HEADER = { alg: 'RS256', kid: 'apple-1' };
type Claims = Record<string, unknown>;
const identity = (more: Claims = {}): Claims => ({
  ...{
    iss: ISSUER,
    aud: BUNDLE_ID,
    sub: `001.${randomUUID()}`,
    iat: now(),
    exp: now() + 600,
    email: 'eve@example.com',
  },
  ...more,
});
/** Signed by Apple. */
const signed = (claims: Claims, header: object = {}) =>
  forge({ ...HEADER, ...header }, claims, SIGNERS.RS256(appleKey.privateKey));
/** Signed by us. */
const access = (claims: Claims, header: object = {}) =>
  forge({ alg: 'ES256', kid: ours.kid, typ: 'JWT', ...header }, claims, SIGNERS.ES256(ourKey));

type Sent = { token?: string | undefined; body?: unknown };
type Answer = { status: number; text: string };

async function send(path: string, { token, body }: Sent = {}): Promise<Answer> {
  const headers: Record<string, string> = body === undefined ? {} : { 'Content-Type': 'application/json' };
  if (token !== undefined) headers.Authorization = `Bearer ${token}`;
  const init = body === undefined ? { headers } : { headers, method: 'POST', body: JSON.stringify(body) };
  const response = await app.fetch(path, init);
  return { status: response.status, text: await response.text() };
}
const functions = (name: string, sent: Sent) => send(`/functions/v1/${name}`, sent);
const merge = (token: string | undefined, body: object) => functions('merge-guest-user', { token, body });
const grant = (body: object, token?: string) =>
  send('/auth/v1/token?grant_type=id_token', { token, body: { provider: 'apple', ...body } });
const refresh = (refresh_token: string) => send('/auth/v1/token?grant_type=refresh_token', { body: { refresh_token } });

/** Everything that a call could change or move. The keys of retries and limits are not among it. */
async function everything(): Promise<string> {
  const tables = [
    ...['users', 'sessions', 'refresh_tokens', 'quota_log', 'merged_users', 'apple_identities', 'used_identity_tokens'],
    ...['apple_tokens', 'apple_account_notifications', 'user_metadata', 'user_events', 'video_jobs', 'uploads'],
  ];
  const columns = tables.map(
    (name) => `(select md5(coalesce(string_agg(t::text, ';' order by t::text), '')) from ${name} t) as ${name}`,
  );
  return JSON.stringify((await app.owner.query(`select ${columns.join(', ')}`)).rows);
}

/** One account of each kind, made once: no row of the tables below may change any of them. */
async function makePeople() {
  const person = async () => {
    const id = await app.user();
    const session = await openSession(app.ctx, id);
    return { id, token: session.accessToken, refreshToken: session.refreshToken, deviceId: await deviceOf(id) };
  };
  const withApple = async () => {
    const made = await person();
    const sub = `001.${randomUUID()}`;
    const identityToken = signed(identity({ sub, email: `${sub}@example.com` }));
    assert.equal((await merge(made.token, { identity_token: identityToken })).status, 200);
    return { ...made, sub, identityToken };
  };
  const guest = await person();
  const other = await person();
  const owner = await withApple();
  const merged = await person();
  assert.equal((await merge(merged.token, { identity_token: signed(identity({ sub: owner.sub })) })).status, 200);
  const [banned, bannedOwner] = [await person(), await withApple()];
  const [deleted, anonymous] = [await person(), await person()];
  const [signedOut, closed] = [await person(), await person()];
  for (const { id } of [banned, bannedOwner])
    await app.owner.query(`insert into user_bans (user_id, reason) values ($1, 'a test')`, [id]);
  await app.owner.query('update users set device_id = null, began_anonymous = true where id = $1', [anonymous.id]);
  for (const gone of [deleted, anonymous])
    assert.equal((await functions('delete-account', { token: gone.token, body: {} })).status, 200);
  assert.equal((await send('/auth/v1/logout', { token: signedOut.token, body: {} })).status, 204);
  // Its first token is older than the parent of the active one.
  const second = Object(JSON.parse((await refresh(closed.refreshToken)).text)).refresh_token;
  assert.equal((await refresh(second)).status, 200);
  assert.equal((await refresh(closed.refreshToken)).status, 400);
  const jobId = await app.generate(owner.id);
  return { guest, other, owner, merged, banned, bannedOwner, deleted, anonymous, signedOut, closed, jobId };
}

async function deviceOf(id: string): Promise<string> {
  return (await app.owner.query('select device_id from users where id = $1', [id])).rows[0].device_id;
}

const people = await makePeople();
const { guest, other, owner, merged } = people;
/** The same after each row: none has any effect. */
const before = await everything();

/** What an answer must not show: it would tell that an account exists, and whose it is. */
const traces = [other, owner, merged, people.bannedOwner, people.deleted].flatMap(({ id, deviceId }) => [id, deviceId]);

function assertNoTrace({ text }: Answer): void {
  for (const trace of [...traces, owner.sub, people.bannedOwner.sub, 'eve@example.com'])
    assert.ok(!text.includes(trace), text);
}

/** Refused as a contract's error; `details` is compared if it is given. */
function assertProblem(answer: Answer, status: number, code: string, details?: object): void {
  const { error } = JSON.parse(answer.text);
  assert.deepEqual([answer.status, error?.code], [status, code], answer.text);
  if (details) assert.deepEqual(error.details, details);
  assertNoTrace(answer);
}

/** The last letter of 256 bytes has four bits that count for nothing. */
function respelt(token: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return token.slice(0, -1) + letters[letters.indexOf(token.slice(-1)) + 1];
}

/** Identity tokens that prove nothing, with the raw nonce that is sent beside them. */
const noProof: [string, () => string, string?][] = [
  // The algorithm.
  ['alg none', () => forge({ ...HEADER, alg: 'none' }, identity(), SIGNERS.none())],
  ['alg None', () => forge({ ...HEADER, alg: 'None' }, identity(), SIGNERS.none())],
  ['no alg', () => forge({ kid: 'apple-1' }, identity(), SIGNERS.RS256(appleKey.privateKey))],
  [
    'HS256 with the public key as secret',
    () => forge({ ...HEADER, alg: 'HS256' }, identity(), SIGNERS.HS256(applePem)),
  ],
  [
    'HS256 with the modulus as secret',
    () => forge({ ...HEADER, alg: 'HS256' }, identity(), SIGNERS.HS256(String(appleJwk.n))),
  ],
  ['HS256 with an empty secret', () => forge({ ...HEADER, alg: 'HS256' }, identity(), SIGNERS.HS256(''))],
  [
    'RS512 with the right key',
    () => forge({ ...HEADER, alg: 'RS512' }, identity(), SIGNERS.RS512(appleKey.privateKey)),
  ],
  [
    'PS256 with the right key',
    () => forge({ ...HEADER, alg: 'PS256' }, identity(), SIGNERS.PS256(appleKey.privateKey)),
  ],
  ['RS256 that was signed as RS512', () => forge(HEADER, identity(), SIGNERS.RS512(appleKey.privateKey))],
  [
    'ES256 with a key of its own',
    () => forge({ ...HEADER, alg: 'ES256' }, identity(), SIGNERS.ES256(foreignCurve.privateKey)),
  ],
  // The key.
  ['a foreign key under Apple’s id', () => forge(HEADER, identity(), SIGNERS.RS256(foreignKey.privateKey))],
  ['an unknown key id', () => signed(identity(), { kid: 'apple-2' })],
  ['no key id', () => signed(identity(), { kid: undefined })],
  ['a key id that is a path', () => signed(identity(), { kid: '../../dev/null' })],
  ['a key id that is a list', () => signed(identity(), { kid: ['apple-1'] })],
  ...['jwk', 'jku', 'x5u', 'x5c'].map((name): [string, () => string] => {
    const value = { jwk: foreignJwk, jku: 'https://eve.example/keys', x5u: 'https://eve.example/x', x5c: ['MIIB'] }[
      name
    ];
    return [
      `a key of its own in ${name}`,
      () => forge({ ...HEADER, [name]: value }, identity(), SIGNERS.RS256(foreignKey.privateKey)),
    ];
  }),
  ['an unknown critical header', () => signed(identity(), { crit: ['eve'], eve: 1 })],
  ['an unencoded payload', () => signed(identity(), { crit: ['b64'], b64: false })],
  // For whom, and from whom.
  ['another app’s', () => signed(identity({ aud: 'com.example.other' }))],
  ['a list of audiences with ours', () => signed(identity({ aud: [BUNDLE_ID, 'com.example.other'] }))],
  ['a list with our audience alone', () => signed(identity({ aud: [BUNDLE_ID] }))],
  ['no audience', () => signed(identity({ aud: undefined }))],
  ['our audience in other letters', () => signed(identity({ aud: BUNDLE_ID.toUpperCase() }))],
  ['another issuer', () => signed(identity({ iss: 'https://accounts.google.com' }))],
  ['an issuer with a slash at its end', () => signed(identity({ iss: `${ISSUER}/` }))],
  ['no issuer', () => signed(identity({ iss: undefined }))],
  // When.
  ['expired', () => signed(identity({ exp: now() - 6 }))],
  ['without an end', () => signed(identity({ exp: undefined }))],
  ['an end that is a text', () => signed(identity({ exp: String(now() + 600) }))],
  ['from the future', () => signed(identity({ iat: now() + 60 }))],
  ['without a time', () => signed(identity({ iat: undefined }))],
  ['not valid yet', () => signed(identity({ nbf: now() + 60 }))],
  // The nonce.
  ['a nonce, and none is sent', () => signed(identity({ nonce: sha256(RAW) }))],
  ['no nonce, and one is sent', () => signed(identity()), RAW],
  ['another nonce', () => signed(identity({ nonce: sha256('another') })), RAW],
  ['its hash in upper case', () => signed(identity({ nonce: sha256(RAW).toUpperCase() })), RAW],
  ['the raw nonce as claim', () => signed(identity({ nonce: RAW })), RAW],
  ['the hash of its hash', () => signed(identity({ nonce: sha256(sha256(RAW)) })), RAW],
  ['the hash is sent in place of the nonce', () => signed(identity({ nonce: sha256(RAW) })), sha256(RAW)],
  ['an empty claim, and none is sent', () => signed(identity({ nonce: '' }))],
  ['a claim that is no text', () => signed(identity({ nonce: 7 })), '7'],
  // The person.
  ['no person', () => signed(identity({ sub: undefined }))],
  ['an empty person', () => signed(identity({ sub: '' }))],
  ['a person that is a number', () => signed(identity({ sub: 1 }))],
  ['a person with a zero byte', () => signed(identity({ sub: `${owner.sub}\u0000` }))],
  ['a person with a space that has no width', () => signed(identity({ sub: `${owner.sub}\u200b` }))],
  ['a person in full-width digits', () => signed(identity({ sub: owner.sub.replace('001', '００１') }))],
  ['a person of 256 characters', () => signed(identity({ sub: 'a'.repeat(256) }))],
  // The token itself.
  [
    'another payload under a good signature',
    () => withPayload(signed(identity()), (payload) => ({ ...payload, sub: owner.sub })),
  ],
  ['two segments', () => signed(identity()).split('.').slice(0, 2).join('.')],
  ['four segments', () => `${signed(identity())}.e30`],
  ['no signature', () => `${signed(identity()).split('.').slice(0, 2).join('.')}.`],
  ['white space before it', () => ` ${signed(identity())}`],
  ['a line break after it', () => `${signed(identity())}\n`],
  ['the same signature in other letters', () => respelt(signed(identity()))],
  ['padding after it', () => `${signed(identity())}==`],
  ['no JSON inside', () => forge('eve', 'eve', SIGNERS.RS256(appleKey.privateKey))],
  ['a list as payload', () => forge(HEADER, '[]', SIGNERS.RS256(appleKey.privateKey))],
  ['an encrypted token’s header', () => forge({ ...HEADER, enc: 'A256GCM', alg: 'dir' }, identity(), SIGNERS.none())],
  ['an access token of ours', () => owner.token],
  ['an access token’s claims in Apple’s name, signed by us', () => access(identity(), { kid: 'apple-1' })],
  ['a refresh token of ours', () => guest.refreshToken],
  [
    'a notification',
    () => signed(identity({ sub: undefined, jti: 'n', events: JSON.stringify({ type: 'x', sub: owner.sub }) })),
  ],
];

/** Supabase Auth says of a nonce that it was the nonce, and nothing else. */
function assertOAuthRefusal(text: string): void {
  const { error, error_description, ...more } = JSON.parse(text);
  assert.deepEqual(more, {});
  assert.match(error, /^invalid (?:request|nonce)$/);
  assert.match(
    error_description,
    /^(?:Bad ID token|Nonces mismatch|Passed nonce and nonce in id_token should either .+)$/,
  );
}

describe('an identity token that proves nothing is refused at every door, without effect', () => {
  for (const [what, make, nonce] of noProof) {
    test(what, async () => {
      const body = { identity_token: make(), ...(nonce !== undefined && { nonce }) };
      assertProblem(await merge(guest.token, body), 401, 'ERR_4005', { reason: 'identity_token' });
      const proof = { id_token: make(), ...(nonce !== undefined && { nonce }) };
      for (const answer of [await grant(proof), await grant({ ...proof, link_identity: true }, guest.token)]) {
        assert.equal(answer.status, 400);
        assertOAuthRefusal(answer.text);
      }
      assert.equal(await everything(), before);
    });
  }
});

const ourClaims = (more: Claims = {}): Claims => ({
  ...{ iss: 'https://rendio.test/auth/v1', aud: 'authenticated', sub: owner.id, iat: now(), exp: now() + 600 },
  ...{ role: 'authenticated', session_id: randomUUID() },
  ...more,
});
const sign = (claims: Claims, header: object = {}) => access(ourClaims(claims), header);

/** Bearer tokens that are no access tokens of ours, or none any more. */
const noAccess: [string, () => string, string?][] = [
  ['alg none', () => forge({ alg: 'none', kid: ours.kid }, ourClaims(), SIGNERS.none())],
  [
    'HS256 with the public key as secret',
    () => forge({ alg: 'HS256', kid: ours.kid }, ourClaims(), SIGNERS.HS256(ourPem)),
  ],
  [
    'HS256 with the public key’s point',
    () => forge({ alg: 'HS256', kid: ours.kid }, ourClaims(), SIGNERS.HS256(ours.x)),
  ],
  [
    'RS256 under our key id',
    () => forge({ alg: 'RS256', kid: ours.kid }, ourClaims(), SIGNERS.RS256(foreignKey.privateKey)),
  ],
  [
    'a foreign key under our key id',
    () => forge({ alg: 'ES256', kid: ours.kid }, ourClaims(), SIGNERS.ES256(foreignCurve.privateKey)),
  ],
  [
    'a foreign key under an id of its own',
    () => forge({ alg: 'ES256', kid: 'eve' }, ourClaims(), SIGNERS.ES256(foreignCurve.privateKey)),
  ],
  [
    'a key of its own in jwk',
    () =>
      forge(
        { alg: 'ES256', jwk: foreignCurve.publicKey.export({ format: 'jwk' }) },
        ourClaims(),
        SIGNERS.ES256(foreignCurve.privateKey),
      ),
  ],
  ['a signature in DER', () => forge({ alg: 'ES256', kid: ours.kid }, ourClaims(), SIGNERS.ES256_DER(ourKey))],
  ['a signature of zeros', () => `${owner.token.split('.').slice(0, 2).join('.')}.${'A'.repeat(86)}`],
  ['an unknown critical header', () => sign({}, { crit: ['eve'], eve: 1 })],
  [
    'another payload under a good signature',
    () => withPayload(guest.token, (payload) => ({ ...payload, sub: owner.id })),
  ],
  ['another audience', () => sign({ aud: 'anon' })],
  ['no audience', () => sign({ aud: undefined })],
  ['expired', () => sign({ exp: now() - 1 }), 'expired'],
  ['without an end', () => sign({ exp: undefined })],
  ['an end that is a text', () => sign({ exp: String(now() + 600) })],
  ['not valid yet', () => sign({ nbf: now() + 60 })],
  ['no account', () => sign({ sub: undefined })],
  ['an empty account', () => sign({ sub: '' })],
  ['an account that is a number', () => sign({ sub: 1 })],
  ['an account that is no UUID', () => sign({ sub: `${owner.id}' or true --` })],
  ['an account in full-width digits', () => sign({ sub: owner.id.replaceAll('4', '４') })],
  ['two segments', () => owner.token.split('.').slice(0, 2).join('.')],
  ['four segments', () => `${owner.token}.e30`],
  ['no segments', () => 'eve'],
  ['a refresh token of ours', () => owner.refreshToken],
  ['an identity token of Apple', () => owner.identityToken],
  ['an identity token with our claims', () => signed(ourClaims())],
  ['a header of 9 KB', () => `${owner.token}${'A'.repeat(9000)}`],
];

describe('a bearer token that is no access token of ours is refused, without effect', () => {
  for (const [what, make, reason = 'invalid'] of noAccess) {
    test(what, async () => {
      assertProblem(await functions('get-user-credits', { token: make() }), 401, 'ERR_4005', { reason });
      assertProblem(await functions('delete-account', { token: make(), body: {} }), 401, 'ERR_4005', { reason });
      const user = await send('/auth/v1/user', { token: make() });
      assert.deepEqual([user.status, JSON.parse(user.text).error_code], [403, 'bad_jwt']);
      const linked = await grant({ id_token: signed(identity()), link_identity: true }, make());
      assert.deepEqual([linked.status, JSON.parse(linked.text).error_code], [403, 'bad_jwt']);
      assert.equal(await everything(), before);
    });
  }
});

type Row = [string, () => Promise<Answer>, number, string];
const apple = (more: Claims = {}) => ({ identity_token: signed(identity(more)) });
const credits = (token: string, userId?: string) =>
  functions(`get-user-credits${userId === undefined ? '' : `?user_id=${encodeURIComponent(userId)}`}`, { token });

/** Good tokens in the wrong place; on `/functions/v1`, with a status and a code. */
const misplaced: Row[] = [
  ['a merge without a token', () => merge(undefined, apple()), 401, 'ERR_4005'],
  ['a merge without an identity token', () => merge(guest.token, {}), 400, 'ERR_4006'],
  ['an identity token that is no text', () => merge(guest.token, { identity_token: { a: 1 } }), 400, 'ERR_4006'],
  ['an identity token of 10 KB', () => merge(guest.token, { identity_token: 'a'.repeat(10_001) }), 400, 'ERR_4006'],
  ['a nonce of 501 characters', () => merge(guest.token, { ...apple(), nonce: 'a'.repeat(501) }), 400, 'ERR_4006'],
  [
    'the identity token of another guest’s merge',
    () => merge(guest.token, { identity_token: owner.identityToken }),
    401,
    'ERR_4005',
  ],
  ['another’s device id', () => merge(guest.token, { ...apple(), device_id: other.deviceId }), 403, 'ERR_4005'],
  [
    'another’s device id in upper case',
    () => merge(guest.token, { ...apple(), device_id: other.deviceId.toUpperCase() }),
    403,
    'ERR_4005',
  ],
  [
    'another Apple user’s id beside the token',
    () => merge(guest.token, { ...apple(), apple_sub: owner.sub }),
    401,
    'ERR_4005',
  ],
  [
    'the token’s Apple id in other letters',
    () => merge(guest.token, { ...apple({ sub: 'a.b' }), apple_sub: 'A.b' }),
    401,
    'ERR_4005',
  ],
  ['another account’s id in the body', () => merge(guest.token, { ...apple(), user_id: owner.id }), 403, 'ERR_4005'],
  [
    'the id of another’s merged guest in the body',
    () => merge(guest.token, { ...apple(), user_id: merged.id }),
    403,
    'ERR_4005',
  ],
  ['an id of no account in the body', () => merge(guest.token, { ...apple(), user_id: randomUUID() }), 403, 'ERR_4005'],
  ['an id in the body that is none', () => merge(guest.token, { ...apple(), user_id: 'eve' }), 400, 'ERR_4006'],
  ['the Apple account, with another person’s token', () => merge(owner.token, apple()), 409, 'ERR_4008'],
  ['a merged guest, with another person’s token', () => merge(merged.token, apple()), 409, 'ERR_4008'],
  ['a banned guest', () => merge(people.banned.token, apple()), 403, 'ERR_4013'],
  ['a guest, into a banned account', () => merge(guest.token, apple({ sub: people.bannedOwner.sub })), 403, 'ERR_4013'],
  ['a deleted guest', () => merge(people.deleted.token, apple()), 401, 'ERR_4005'],
  ['a signed-out guest', () => merge(people.signedOut.token, apple()), 401, 'ERR_4005'],
  ['another account’s id in the query', () => credits(guest.token, owner.id), 403, 'ERR_4005'],
  ['another account’s id in upper case', () => credits(guest.token, owner.id.toUpperCase()), 403, 'ERR_4005'],
  ['the id of another’s merged guest', () => credits(guest.token, merged.id), 403, 'ERR_4005'],
  ['the id of a deleted account', () => credits(guest.token, people.deleted.id), 403, 'ERR_4005'],
  ['an id with a space', () => credits(guest.token, `${guest.id} `), 400, 'ERR_4006'],
  ['an id in braces', () => credits(guest.token, `{${guest.id}}`), 400, 'ERR_4006'],
  ['an access token of a deleted account', () => credits(people.deleted.token), 401, 'ERR_4005'],
  ['an access token of a banned account', () => credits(people.banned.token), 403, 'ERR_4013'],
  ['an access token of a session that was signed out', () => credits(people.signedOut.token), 401, 'ERR_4005'],
  ['an access token of a session that was closed for reuse', () => credits(people.closed.token), 401, 'ERR_4005'],
  [
    'a token of ours for another’s session',
    () => credits(sign({ sub: owner.id, session_id: sessionOf(guest.token) })),
    401,
    'ERR_4005',
  ],
  ['a token of ours for a session of no one', () => credits(sign({ sub: owner.id })), 401, 'ERR_4005'],
  [
    'another’s video',
    () => functions(`get-video-status?job_id=${people.jobId}`, { token: guest.token }),
    404,
    'ERR_4007',
  ],
  [
    'another’s session',
    () => functions('revoke-session', { token: guest.token, body: { session_id: sessionOf(owner.token) } }),
    404,
    'ERR_4007',
  ],
  [
    'an identity token as notification',
    () => functions('apple-account-notifications', { body: { payload: owner.identityToken } }),
    401,
    'ERR_4005',
  ],
  [
    'an access token as notification',
    () => functions('apple-account-notifications', { body: { payload: owner.token } }),
    401,
    'ERR_4005',
  ],
];

function sessionOf(token: string): string {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).session_id;
}

describe('a good token in the wrong place is refused, without effect', () => {
  for (const [what, call, status, code] of misplaced) {
    test(what, async () => {
      assertProblem(await call(), status, code);
      assert.equal(await everything(), before);
    });
  }

  test('a device id with a zero byte is not looked up', async () => {
    const answer = await merge(guest.token, { ...apple(), device_id: `${other.deviceId}\u0000` });
    assert.ok(answer.status >= 400 && answer.status < 500, answer.text);
    assert.equal(await everything(), before);
  });
});

/** The same on `/auth/v1`, in the words of Supabase's clients. */
const misplacedForClients: Row[] = [
  [
    'linking without a token',
    () => grant({ id_token: signed(identity()), link_identity: true }),
    401,
    'no_authorization',
  ],
  [
    'linking to a deleted guest',
    () => grant({ id_token: signed(identity()), link_identity: true }, people.anonymous.token),
    403,
    'user_not_found',
  ],
  [
    'linking to a signed-out guest',
    () => grant({ id_token: signed(identity()), link_identity: true }, people.signedOut.token),
    403,
    'session_not_found',
  ],
  [
    'linking to a banned guest',
    () => grant({ id_token: signed(identity()), link_identity: true }, people.banned.token),
    403,
    'user_banned',
  ],
  [
    'linking a person who has an account',
    () => grant({ id_token: signed(identity({ sub: owner.sub })), link_identity: true }, guest.token),
    422,
    'identity_already_exists',
  ],
  [
    'linking an Apple account to another person',
    () => grant({ id_token: signed(identity()), link_identity: true }, owner.token),
    422,
    'identity_already_exists',
  ],
  [
    'signing in to a banned account',
    () => grant({ id_token: signed(identity({ sub: people.bannedOwner.sub })) }),
    403,
    'user_banned',
  ],
  [
    'signing in through another provider',
    () => grant({ provider: 'google', id_token: signed(identity()) }),
    400,
    'provider_disabled',
  ],
  ['refreshing with an access token', () => refresh(owner.token), 400, 'refresh_token_not_found'],
  ['refreshing with an identity token', () => refresh(owner.identityToken), 400, 'refresh_token_not_found'],
  ['refreshing a deleted account', () => refresh(people.deleted.refreshToken), 400, 'refresh_token_not_found'],
  ['refreshing a banned account', () => refresh(people.banned.refreshToken), 403, 'user_banned'],
  ['refreshing a signed-out session', () => refresh(people.signedOut.refreshToken), 400, 'session_not_found'],
  [
    'refreshing a session that was closed for reuse',
    () => refresh(people.closed.refreshToken),
    400,
    'session_not_found',
  ],
];

describe('a good token in the wrong place is refused for Supabase’s clients, without effect', () => {
  for (const [what, call, status, code] of misplacedForClients) {
    test(what, async () => {
      const answer = await call();
      assert.deepEqual([answer.status, JSON.parse(answer.text).error_code], [status, code], answer.text);
      assertNoTrace(answer);
      assert.equal(await everything(), before);
    });
  }

  test('linking with the identity token of another guest’s merge', async () => {
    const answer = await grant({ id_token: owner.identityToken, link_identity: true }, guest.token);
    assert.equal(answer.status, 400);
    assert.equal(await everything(), before);
  });
});

describe('what looks alike and is right is accepted', () => {
  test('the caller’s own id, and that of its merged guest, in upper case', async () => {
    assert.equal((await credits(guest.token, guest.id.toUpperCase())).status, 200);
    for (const id of [owner.id, merged.id]) assert.equal((await credits(owner.token, id.toUpperCase())).status, 200);
    assert.equal((await credits(merged.token, merged.id)).status, 200);
    assert.equal((await credits(merged.token, owner.id)).status, 200);
  });

  test('the key that Apple has, for both audiences, with and without a nonce', async () => {
    let last = before;
    for (const claims of [{ aud: SERVICE_ID }, { nonce: sha256(RAW) }, {}]) {
      const nonce = 'nonce' in claims ? { nonce: RAW } : {};
      assert.equal((await grant({ id_token: signed(identity(claims)), ...nonce })).status, 200);
      const next = await everything();
      assert.notEqual(next, last, 'an effect is seen');
      last = next;
    }
  });
});
