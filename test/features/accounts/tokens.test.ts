import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import {
  base64url,
  calculateJwkThumbprint,
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  jwtVerify,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { createTokens, type SigningJwk } from '../../../src/features/accounts/tokens.ts';
import type { TokenSubject } from '../../../src/features/context.ts';
import { Problem } from '../../../src/kernel/errors.ts';

const NOW = new Date('2026-11-23T10:00:00.500Z');
const UNIX_NOW = Math.floor(NOW.getTime() / 1000);
const USER = '0190f3a2-7b1c-7def-8abc-0123456789ab';
const SESSION = '0190f3a2-7b1c-7def-8abc-00000000abcd';
const SUBJECT: TokenSubject = {
  userId: USER,
  sessionId: SESSION,
  isAnonymous: true,
  amr: [{ method: 'anonymous', timestamp: UNIX_NOW }],
};

function clockAt(start: Date) {
  let now = start;
  return { now: () => now, turn: (seconds: number) => (now = new Date(now.getTime() + seconds * 1000)) };
}

async function makeKey(): Promise<SigningJwk> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const { x = '', y = '', d = '' } = await exportJWK(privateKey);
  const point = { kty: 'EC', crv: 'P-256', x, y } as const;
  return { ...point, alg: 'ES256', d, kid: await calculateJwkThumbprint(point) };
}

function invalidBecause(reason: string) {
  return (error: unknown) => {
    assert.ok(error instanceof Problem);
    assert.equal(error.code, 'ERR_4005');
    assert.equal(error.status, 401);
    assert.deepEqual(error.details, { reason });
    return true;
  };
}

describe('access tokens', () => {
  let key: SigningJwk;
  let foreignKey: SigningJwk;
  before(async () => {
    [key, foreignKey] = await Promise.all([makeKey(), makeKey()]);
  });

  function make(clock = clockAt(NOW)) {
    return createTokens({ privateKey: key, clock, issuer: 'https://api.example.com/auth/v1' });
  }
  /** A token with the given claims, signed by our key or by another. */
  function forge(claims: Record<string, unknown>, header: Record<string, unknown> = {}, signer = key) {
    const all = { sub: USER, session_id: SESSION, aud: 'authenticated', exp: UNIX_NOW + 60, ...claims };
    return new SignJWT(all).setProtectedHeader({ alg: 'ES256', kid: key.kid, ...header }).sign(signer);
  }

  test('have the claims that the Supabase clients expect, and expire after an hour', async () => {
    const { accessToken, expiresIn, expiresAt } = await make().sign({ ...SUBJECT, userMetadata: { name: 'Ada' } });
    assert.equal(expiresIn, 3600);
    assert.equal(expiresAt, UNIX_NOW + 3600);
    assert.deepEqual(decodeProtectedHeader(accessToken), { alg: 'ES256', kid: key.kid, typ: 'JWT' });
    assert.deepEqual(decodeJwt(accessToken), {
      iss: 'https://api.example.com/auth/v1',
      sub: USER,
      aud: 'authenticated',
      iat: UNIX_NOW,
      exp: UNIX_NOW + 3600,
      email: '',
      phone: '',
      app_metadata: {},
      user_metadata: { name: 'Ada' },
      role: 'authenticated',
      aal: 'aal1',
      amr: [{ method: 'anonymous', timestamp: UNIX_NOW }],
      session_id: SESSION,
      is_anonymous: true,
    });
  });

  test('identify the user and the session that they were signed for', async () => {
    const tokens = make();
    const { accessToken } = await tokens.sign({ ...SUBJECT, isAnonymous: false, email: 'ada@example.com' });
    const claims = await tokens.verify(accessToken);
    assert.deepEqual(claims, { userId: USER, sessionId: SESSION, isAnonymous: false, expiresAt: UNIX_NOW + 3600 });
  });

  test('are valid until the last second of their hour, and rejected as expired after it', async () => {
    const clock = clockAt(NOW);
    const tokens = make(clock);
    const { accessToken } = await tokens.sign(SUBJECT);
    clock.turn(3599);
    await tokens.verify(accessToken);
    clock.turn(1);
    await assert.rejects(tokens.verify(accessToken), invalidBecause('expired'));
  });

  test('are valid with any issuer, because a server’s URL may change', async () => {
    const token = await forge({ iss: 'https://old.example.com', is_anonymous: true });
    assert.equal((await make().verify(token)).userId, USER);
  });

  test('can be verified with the JWKS, which has no private key', async () => {
    const tokens = make();
    const jwks = tokens.jwks();
    assert.deepEqual(jwks.keys, [
      {
        kty: 'EC',
        crv: 'P-256',
        alg: 'ES256',
        x: key.x,
        y: key.y,
        kid: key.kid,
        use: 'sig',
        key_ops: ['verify'],
        ext: true,
      },
    ]);
    const { accessToken } = await tokens.sign(SUBJECT);
    const keySet = createLocalJWKSet(jwks);
    const { payload } = await jwtVerify(accessToken, keySet, { currentDate: NOW });
    assert.equal(payload.sub, USER);
  });

  test('signed by a previous key are still valid, and a previous key with the current key’s id is ignored', async () => {
    const { accessToken } = await make().sign(SUBJECT);
    const rotated = createTokens({
      privateKey: foreignKey,
      previousKeys: [key, { ...key, kid: foreignKey.kid }],
      clock: clockAt(NOW),
      issuer: 'x',
    });
    assert.equal((await rotated.verify(accessToken)).userId, USER);
    assert.equal((await rotated.verify((await rotated.sign(SUBJECT)).accessToken)).userId, USER);
    assert.equal(rotated.jwks().keys.length, 2);
  });

  test('signed by another key are rejected, whether they claim our key id or have their own', async () => {
    await assert.rejects(make().verify(await forge({}, {}, foreignKey)), invalidBecause('invalid'));
    await assert.rejects(
      make().verify(await forge({}, { kid: foreignKey.kid }, foreignKey)),
      invalidBecause('invalid'),
    );
    const { d: _, ...jwk } = foreignKey;
    await assert.rejects(
      make().verify(await forge({}, { kid: undefined, jwk }, foreignKey)),
      invalidBecause('invalid'),
    );
  });

  test('with another algorithm are rejected, such as none, and HS256 with our public key as its secret', async () => {
    const claims = { sub: USER, session_id: SESSION, aud: 'authenticated', exp: UNIX_NOW + 60 };
    const unsecured = new UnsecuredJWT(claims).encode();
    await assert.rejects(make().verify(unsecured), invalidBecause('invalid'));
    const padded = `${unsecured}${'A'.repeat(86)}`;
    await assert.rejects(make().verify(padded), invalidBecause('invalid'));
    const publicBytes = new TextEncoder().encode(JSON.stringify({ kty: 'EC', crv: 'P-256', x: key.x, y: key.y }));
    const hs256 = new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: key.kid });
    await assert.rejects(make().verify(await hs256.sign(publicBytes)), invalidBecause('invalid'));
    const es384 = await generateKeyPair('ES384');
    const other = new SignJWT(claims).setProtectedHeader({ alg: 'ES384', kid: key.kid });
    await assert.rejects(make().verify(await other.sign(es384.privateKey)), invalidBecause('invalid'));
  });

  test('are verified by the signature alone: a session id and a key id are not required', async () => {
    const bare = await make().verify(await forge({ session_id: undefined }, { kid: undefined }));
    assert.deepEqual([bare.userId, bare.sessionId], [USER, null]);
    assert.equal((await make().verify(await forge({}, { kid: 'another name' }))).userId, USER);
  });

  const invalidClaims: [string, Record<string, unknown>][] = [
    ['another audience', { aud: 'anon' }],
    ['no audience', { aud: undefined }],
    ['no expiry', { exp: undefined }],
    ['an expiry that is not a number', { exp: 'tomorrow' }],
    ['no subject', { sub: undefined }],
    ['a subject that is not a UUID', { sub: 'admin' }],
    ['a start in the future', { nbf: UNIX_NOW + 30 }],
  ];
  for (const [name, claims] of invalidClaims) {
    test(`with ${name} are rejected although we signed them`, async () => {
      await assert.rejects(make().verify(await forge(claims)), invalidBecause('invalid'));
    });
  }

  test('are rejected when any one character differs, including the unused bits of the last', async () => {
    const tokens = make();
    const { accessToken } = await tokens.sign(SUBJECT);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = accessToken.length - 1;
    const positions = [0, 10, accessToken.indexOf('.') + 3, accessToken.lastIndexOf('.') + 5, last];
    for (const position of positions) {
      for (const char of alphabet) {
        if (char === accessToken[position]) continue;
        const tampered = accessToken.slice(0, position) + char + accessToken.slice(position + 1);
        await assert.rejects(tokens.verify(tampered), invalidBecause('invalid'));
      }
    }
  });

  test('that are not tokens at all are rejected as invalid, and never cause a server error', async () => {
    const tokens = make();
    const { accessToken } = await tokens.sign(SUBJECT);
    const [header = '', payload = '', signature = ''] = accessToken.split('.');
    const part = fc.oneof(
      fc.constantFrom(header, payload, signature, '', base64url.encode('{"alg":"ES256"}'), base64url.encode('[]')),
      fc.string().map((text) => base64url.encode(text)),
      fc.string(),
    );
    const token = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('.'));
    await fc.assert(
      fc.asyncProperty(token, async (text) => {
        if (text !== accessToken) await assert.rejects(tokens.verify(text), invalidBecause('invalid'));
      }),
    );
  });

  test('never contain the private key', async () => {
    const { accessToken } = await make().sign(SUBJECT);
    assert.ok(!accessToken.includes(key.d));
    assert.ok(!JSON.stringify(make().jwks()).includes(key.d));
  });
});
