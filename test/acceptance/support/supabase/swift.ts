/**
 * The requests of supabase-swift, as its source makes them (Sources/Auth, Sources/Storage), and what its decoders need of the
 * answers: every field that is not optional, of its type.
 */
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { makeImage } from '../../../support/upload-images.ts';
import { type CallOptions, call, expectStatus, type Reply } from '../api.ts';
import { ANON_KEY, type Door, newSub } from './clients.ts';
import {
  assertAuthError,
  assertDecodes,
  FileObject,
  FileObjectV2,
  Jwks,
  Session,
  SignedUrl,
  SignedUrls,
  StorageError,
  UploadResponse,
  User,
} from './swift-types.ts';

/** The headers of the client's configuration. Auth adds its version, and URLSession the rest. */
const COMMON = {
  apikey: ANON_KEY,
  'X-Client-Info': 'supabase-swift/2.40.0',
  'X-Supabase-Client-Platform': 'iOS',
  'X-Supabase-Client-Platform-Version': '26.0',
  Accept: '*/*',
  'User-Agent': 'App/1 CFNetwork/3860.100.1 Darwin/25.0.0',
};
const png = makeImage('png');

export function testSwift(door: Door): void {
  describe('supabase-swift’s auth client', () => {
    testAuth(door);
    testAuthErrors(door);
  });

  describe('supabase-swift’s storage client', () => {
    testObjects(door);
    testUploadUrl(door);
    testStorageErrors(door);
  });
}

function testAuth(door: Door): void {
  const { auth, signIn } = swiftClient(door);
  test('decodes the session of an anonymous sign-in, with data and without', async () => {
    await signIn();
    const { body } = expectStatus(await auth('POST', 'signup', { body: { data: { first_launch: true } } }), 200);
    assert.deepEqual(assertDecodes(Session, body).user.user_metadata, { first_launch: true });
  });

  test('decodes the sessions of Sign in with Apple, of linking and of a refresh, and the identity', async () => {
    const sub = newSub();
    const nonce = randomUUID();
    const hashed = createHash('sha256').update(nonce).digest('hex');
    const id_token = await door.apple.identityToken({ sub, nonce: hashed, email: 'a@b.co', email_verified: true });
    // Optional fields that are nil are left out; `link_identity` is not optional.
    const credentials = { provider: 'apple', id_token, nonce, link_identity: false };
    const path = 'token?grant_type=id_token';
    const signedIn = assertDecodes(Session, expectStatus(await auth('POST', path, { body: credentials }), 200).body);
    assert.equal(signedIn.user.identities?.[0]?.id, sub);

    const guest = await signIn();
    const linking = { provider: 'apple', id_token: await door.apple.identityToken(), link_identity: true };
    const linked = expectStatus(await auth('POST', path, { body: linking, token: guest.access_token }), 200);
    assert.equal(assertDecodes(Session, linked.body).user.id, guest.user.id);

    const refreshing = { body: { refresh_token: signedIn.refresh_token } };
    const refreshed = expectStatus(await auth('POST', 'token?grant_type=refresh_token', refreshing), 200);
    assert.equal(assertDecodes(Session, refreshed.body).user.id, signedIn.user.id);
  });

  test('decodes the user, also after an update, and the keys', async () => {
    const { access_token: token, user } = await signIn();
    assert.equal(assertDecodes(User, expectStatus(await auth('GET', 'user', { token }), 200).body).id, user.id);
    const update = { token, body: { data: { name: 'Ada', gone: null } } };
    const path = 'user?redirect_to=app://auth';
    const updated = assertDecodes(User, expectStatus(await auth('PUT', path, update), 200).body);
    assert.deepEqual(updated.user_metadata, { name: 'Ada' });
    assertDecodes(Jwks, expectStatus(await auth('GET', '.well-known/jwks.json'), 200).body);
  });

  test('signs out without a body', async () => {
    for (const scope of ['others', 'local', 'global']) {
      const { access_token: token } = await signIn();
      const reply = expectStatus(await auth('POST', `logout?scope=${scope}`, { token }), 204);
      assert.equal(reply.text, '');
      assert.equal((await auth('GET', 'user', { token })).status, scope === 'others' ? 200 : 403);
    }
  });
}

function testAuthErrors(door: Door): void {
  const { auth, signIn } = swiftClient(door);
  test('decodes every error, and ends its session for exactly those that are final', async () => {
    const { access_token: token, refresh_token } = await signIn();
    await auth('POST', 'logout?scope=local', { token });
    const refresh = (value: unknown) =>
      auth('POST', 'token?grant_type=refresh_token', { body: { refresh_token: value } });
    assertAuthError(await auth('GET', 'user', { token }), 403, 'session_not_found');
    assertAuthError(await refresh(refresh_token), 400, 'session_not_found');
    assertAuthError(await refresh('unknown'), 400, 'refresh_token_not_found');
    assertAuthError(await refresh(''), 400, null);
    assertAuthError(await auth('GET', 'user', { token: 'x' }), 403, 'bad_jwt');
    assertAuthError(await auth('GET', 'nowhere'), 404, 'not_found');
    assertAuthError(await auth('GET', 'logout'), 405, 'method_not_allowed');
    const bad = { provider: 'apple', id_token: 'x', link_identity: false };
    assertAuthError(await auth('POST', 'token?grant_type=id_token', { body: bad }), 400, null);
  });
}

function testObjects(door: Door): void {
  const { storage, signIn, post } = swiftClient(door);
  test('decodes what uploads, updates, lists, signs, describes and removes', async () => {
    const { access_token: token, user } = await signIn();
    // Swift writes UUIDs in capitals.
    const folder = user.id.toUpperCase();
    const object = `object/user_uploads/${folder}/portrait.png`;
    const metadata: [string, string] = ['metadata', '{"made":"here"}'];
    for (const [method, more] of [
      ['POST', { 'x-upsert': 'false' }],
      ['POST', { 'x-upsert': 'true' }],
      ['PUT', {}],
    ] as const) {
      const { body, headers } = form('portrait.png', [metadata]);
      const reply = await storage(method, object, { token, body, headers: { ...headers, ...more } });
      assertDecodes(UploadResponse, expectStatus(reply, 200).body);
    }
    const search = { prefix: folder, limit: 100, offset: 0, sortBy: { column: 'name', order: 'asc' } };
    const listed = assertDecodes(FileObject.array(), await post(token, 'object/list/user_uploads', search));
    assert.deepEqual(
      listed.map(({ name }) => name),
      ['portrait.png'],
    );
    const root = assertDecodes(
      FileObject.array(),
      await post(token, 'object/list/user_uploads', { ...search, prefix: '' }),
    );
    assert.deepEqual(
      root.map(({ name, id }) => [name, id]),
      [[user.id, null]],
    );

    const signed = await post(token, `object/sign/user_uploads/${folder}/portrait.png`, { expiresIn: 60 });
    const { signedURL } = assertDecodes(SignedUrl, signed);
    const opened = await call(door.url, 'GET', `/storage/v1${signedURL}&download=`);
    assert.match(opened.headers.get('content-disposition') ?? '', /^attachment/);
    const paths = [`${folder}/portrait.png`, `${folder}/none.png`];
    const many = assertDecodes(SignedUrls, await post(token, 'object/sign/user_uploads', { expiresIn: 60, paths }));
    assert.deepEqual(
      many.map(({ path, signedURL: url }) => [path, typeof url]),
      [
        [paths[0], 'string'],
        [paths[1], 'object'],
      ],
    );

    const info = await storage('GET', `object/info/user_uploads/${folder}/portrait.png`, { token });
    assert.deepEqual(assertDecodes(FileObjectV2, expectStatus(info, 200).body).metadata, { made: 'here' });
    expectStatus(await storage('HEAD', object, { token }), 200);
    expectStatus(await storage('GET', object, { token }), 200);
    const removed = await post(token, 'object/user_uploads', { prefixes: [`${folder}/portrait.png`] }, 'DELETE');
    assert.equal(assertDecodes(FileObject.array(), removed).length, 1);
    const gone = await storage('HEAD', object, { token });
    assert.ok([400, 404].includes(gone.status), 'the statuses that mean that it does not exist');
  });
}

function testUploadUrl(door: Door): void {
  const { storage, signIn } = swiftClient(door);
  test('decodes the URL to upload to, which it asks for without a body, and uploads to it', async () => {
    const { access_token: token, user } = await signIn();
    const path = `${user.id}/late.png`;
    const asked = await storage<{ url: string }>('POST', `object/upload/sign/user_uploads/${path}`, { token });
    const { url } = expectStatus(asked, 200).body;
    assert.match(url, /^\/object\/upload\/sign\/user_uploads\/[^?]+\?token=[^&]+$/);
    const { body, headers } = form('late.png');
    const uploaded = await storage<{ Key: string }>('PUT', url.slice(1), {
      token,
      body,
      headers: { ...headers, 'x-upsert': 'false' },
    });
    assert.equal(expectStatus(uploaded, 200).body.Key, `user_uploads/${path}`);
  });
}

function testStorageErrors(door: Door): void {
  const { storage, signIn } = swiftClient(door);
  test('decodes every error', async () => {
    const { access_token: token } = await signIn();
    const { user: stranger } = await signIn();
    const { body, headers } = form('x.png');
    const path = `object/user_uploads/${stranger.id}/x.png`;
    const replies: [Reply<unknown>, string][] = [
      [await storage('GET', path, { token }), '404'],
      [await storage('POST', path, { token, body, headers }), '403'],
      [await storage('GET', path, { token: 'x' }), '401'],
      [await storage('GET', path), '401'],
      [await storage('POST', 'object/list/none', { token, body: { prefix: '' } }), '404'],
      [await storage('POST', 'object/list/user_uploads', { token, body: { prefix: 5 } }), '400'],
      [await storage('GET', 'nowhere', { token }), '404'],
      [await storage('PATCH', path, { token, body: {} }), '405'],
    ];
    for (const [reply, status] of replies)
      assert.equal(assertDecodes(StorageError, reply.body).statusCode, status, reply.text);
  });
}

/** Sends what the client sends. `post` expects success. */
function swiftClient(door: Door) {
  const auth = (method: string, path: string, { headers, ...options }: CallOptions = {}) =>
    call(door.url, method, `/auth/v1/${path}`, {
      ...options,
      headers: {
        ...COMMON,
        Authorization: `Bearer ${options.token ?? ANON_KEY}`,
        'X-Supabase-Api-Version': '2024-01-01',
        'Content-Type': 'application/json',
        ...headers,
      },
    });
  const storage = <Body>(method: string, path: string, { headers, ...options }: CallOptions = {}) =>
    call<Body>(door.url, method, `/storage/v1/${path}`, { ...options, headers: { ...COMMON, ...headers } });
  const signIn = async () => {
    const { body } = expectStatus(await auth('POST', 'signup', { body: {} }), 200);
    return assertDecodes(Session, body);
  };
  const post = async <Body>(token: string, path: string, body: object, method = 'POST'): Promise<Body> =>
    expectStatus(await storage<Body>(method, path, { token, body }), 200).body;
  return { auth, storage, signIn, post };
}

/** As MultipartFormData encodes an upload: the file has no field name. */
function form(fileName: string, more: [string, string][] = []): CallOptions {
  const boundary = `alamofire.boundary.${randomUUID().replaceAll('-', '').slice(0, 16)}`;
  const fields: [string, string][] = [['cacheControl', '3600'], ...more];
  const heads = fields.map(([name, value]) => `Content-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`);
  const file = `Content-Disposition: form-data; name=""; filename="${fileName}"\r\nContent-Type: image/png\r\n\r\n`;
  const before = [...heads, file].map((part) => `--${boundary}\r\n${part}`).join('');
  return {
    body: Buffer.concat([Buffer.from(before), png, Buffer.from(`\r\n--${boundary}--\r\n`)]),
    headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}`, 'Cache-Control': 'max-age=3600' },
  };
}
