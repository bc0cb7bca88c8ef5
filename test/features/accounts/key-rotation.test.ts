/** A new signing key: the tokens of the one before it count until they expire, and no user is signed out. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { calculateJwkThumbprint, decodeProtectedHeader, exportJWK, generateKeyPair } from 'jose';
import { createHttp } from '../../../src/app/http.ts';
import { createTokens, type SigningJwk } from '../../../src/features/accounts/tokens.ts';
import { clientOf } from '../../support/api-in-process.ts';
import { createTestApp } from '../../support/app.ts';

const HOUR_MS = 3600_000;

const app = await createTestApp();
after(() => app[Symbol.asyncDispose]());

async function makeKey(): Promise<SigningJwk> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const { x = '', y = '', d = '' } = await exportJWK(privateKey);
  const point = { kty: 'EC', crv: 'P-256', x, y } as const;
  return { ...point, alg: 'ES256', d, kid: await calculateJwkThumbprint(point) };
}

/** The server on the same database with these keys, `laterMs` from now. */
function serverWith(privateKey: SigningJwk, previousKeys: SigningJwk[] = [], laterMs = 0) {
  const clock = { now: () => new Date(Date.now() + laterMs) };
  const tokens = createTokens({ privateKey, previousKeys, clock, issuer: 'http://rendio.test/auth/v1' });
  return createHttp(
    { ...app.ctx, tokens },
    { publicUrl: undefined, corsOrigins: '*', anonKey: undefined, ipOf: () => '203.0.113.9', isWorking: () => true },
  );
}

test('rotating the signing key signs nobody out, and ends what the old key has signed within the hour', async () => {
  const [oldKey, newKey] = [await makeKey(), await makeKey()];
  const { data: begun } = await clientOf(serverWith(oldKey)).auth.signInAnonymously();
  assert.ok(begun.session);
  const old = begun.session;
  assert.equal(decodeProtectedHeader(old.access_token).kid, oldKey.kid);

  const rotated = serverWith(newKey, [oldKey]);
  const { auth } = clientOf(rotated);
  assert.equal((await auth.getUser(old.access_token)).data.user?.id, old.user.id);
  assert.equal((await auth.getClaims(old.access_token)).data?.claims.sub, old.user.id);
  const renewed = (await auth.refreshSession(old)).data.session;
  assert.ok(renewed);
  assert.equal(decodeProtectedHeader(renewed.access_token).kid, newKey.kid, 'the old key signs nothing');
  assert.equal((await auth.getClaims(renewed.access_token)).data?.claims.sub, old.user.id);
  const published = await (await rotated.fetch(new Request('http://rendio.test/auth/v1/.well-known/jwks.json'))).json();
  assert.deepEqual(
    published.keys.map(({ kid, d }: { kid: string; d?: string }) => [kid, d]),
    [
      [newKey.kid, undefined],
      [oldKey.kid, undefined],
    ],
  );

  const later = await clientOf(serverWith(newKey, [oldKey], HOUR_MS)).auth.getUser(old.access_token);
  assert.deepEqual([later.error?.status, later.error?.code], [403, 'bad_jwt']);
  assert.match(later.error?.message ?? '', /token is expired/);

  const withdrawn = clientOf(serverWith(newKey)).auth;
  const refused = await withdrawn.getUser(old.access_token);
  assert.deepEqual([refused.error?.status, refused.error?.code], [403, 'bad_jwt']);
  assert.equal((await withdrawn.refreshSession(renewed)).data.session?.user.id, old.user.id);
});
