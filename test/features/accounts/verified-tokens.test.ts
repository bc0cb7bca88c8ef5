/** Access tokens are verified once, and count no longer and no further than if they were verified each time. */
import assert from 'node:assert/strict';
import { after, describe, mock, test } from 'node:test';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { openSession } from '../../../src/features/accounts/session.ts';
import { createTokens, type SigningJwk } from '../../../src/features/accounts/tokens.ts';
import { createVerifiedTokens } from '../../../src/features/accounts/verified-tokens.ts';
import { Problem } from '../../../src/kernel/errors.ts';
import { createTestApp } from '../../support/app.ts';
import { withPayload } from '../../support/forge.ts';

const USER = '0190f3a2-7b1c-7def-8abc-0123456789ab';
const START = Date.UTC(2026, 10, 23, 10);

function manualClock() {
  let nowMs = START;
  return { now: () => new Date(nowMs), turn: (seconds: number) => (nowMs += seconds * 1000) };
}

async function makeTokens() {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const { x = '', y = '', d = '' } = await exportJWK(privateKey);
  const point = { kty: 'EC', crv: 'P-256', x, y } as const;
  const key: SigningJwk = { ...point, alg: 'ES256', d, kid: await calculateJwkThumbprint(point) };
  const clock = manualClock();
  const tokens = createTokens({ privateKey: key, clock, issuer: 'https://api.example.com/auth/v1' });
  const sign = async (more: object = {}) =>
    (await tokens.sign({ userId: USER, sessionId: USER, isAnonymous: true, amr: [], ...more })).accessToken;
  return { tokens, clock, sign };
}

/** How many signatures are checked while `work` runs. */
async function checksDuring(work: () => Promise<unknown>): Promise<number> {
  const spy = mock.method(crypto.subtle, 'verify');
  await work().finally(() => spy.mock.restore());
  return spy.mock.callCount();
}

const refusedAs = (reason: string) => (error: unknown) => error instanceof Problem && error.details.reason === reason;

describe('an access token', () => {
  test('has its signature checked once, and says the same each time', async () => {
    const { tokens, sign } = await makeTokens();
    const token = await sign();
    const first = await tokens.verify(token);
    const checks = await checksDuring(async () => {
      for (let calls = 0; calls < 5; calls += 1) assert.deepEqual(await tokens.verify(token), first);
    });
    assert.equal(checks, 0);
    for (const claims of [first, await tokens.verify(token)]) Object.assign(claims, { userId: 'changed' });
    assert.equal((await tokens.verify(token)).userId, USER, 'what a caller does with it stays there');
  });

  test('that is known ends with its last second, as any other', async () => {
    const { tokens, clock, sign } = await makeTokens();
    const token = await sign();
    await tokens.verify(token);
    clock.turn(3599);
    await tokens.verify(token);
    clock.turn(1);
    await assert.rejects(tokens.verify(token), refusedAs('expired'));
    clock.turn(-1);
    assert.equal(await checksDuring(() => tokens.verify(token)), 1, 'it was forgotten');
  });

  test('that differs from a known one in any part is checked, and refused', async () => {
    const { tokens, sign } = await makeTokens();
    const token = await sign();
    await tokens.verify(token);
    const others = [
      withPayload(token, (payload) => ({ ...payload, sub: USER.replace('0190', '0191') })),
      `${token.slice(0, -1)}${token.endsWith('A') ? 'Q' : 'A'}`,
      `${token} `,
      token.toLowerCase(),
    ];
    for (const other of others) await assert.rejects(tokens.verify(other), refusedAs('invalid'));
  });

  test('that is refused is not kept: it is refused each time', async () => {
    const { tokens, sign } = await makeTokens();
    const foreign = await (await makeTokens()).sign();
    await tokens.verify(await sign());
    for (let calls = 0; calls < 2; calls += 1) await assert.rejects(tokens.verify(foreign), refusedAs('invalid'));
  });

  test('with much metadata is verified each time', async () => {
    const { tokens, sign } = await makeTokens();
    const token = await sign({ userMetadata: { note: 'x'.repeat(2_000) } });
    assert.equal(await checksDuring(async () => [await tokens.verify(token), await tokens.verify(token)]), 2);
  });
});

test('only so many tokens are kept, those that were used last', () => {
  const kept = createVerifiedTokens(manualClock(), { entriesMax: 3 });
  const claims = { userId: USER, sessionId: null, isAnonymous: true, expiresAt: START / 1000 + 60 };
  for (const token of ['a', 'b', 'c']) kept.add(token, claims);
  assert.ok(kept.get('a'));
  kept.add('d', claims);
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((token) => kept.get(token) !== null),
    [true, false, true, true],
  );
});

describe('a token that was verified before', async () => {
  const app = await createTestApp();
  after(() => app[Symbol.asyncDispose]());

  async function used() {
    const id = await app.user();
    const { accessToken } = await openSession(app.ctx, id);
    const status = async () => {
      const headers = { Authorization: `Bearer ${accessToken}` };
      return (await app.fetch('/functions/v1/get-user-credits', { headers })).status;
    };
    assert.equal(await status(), 200);
    return { id, status };
  }

  const ends: [string, string, number][] = [
    ['its session ends', 'update sessions set revoked_at = now() where user_id = $1', 401],
    ['its account is banned', `insert into user_bans (user_id, reason) values ($1, 'a test')`, 403],
    ['its account is deleted', 'select delete_account($1)', 401],
  ];
  for (const [what, sql, status] of ends) {
    test(`is refused at once when ${what}`, async () => {
      const person = await used();
      await app.owner.query(sql, [person.id]);
      assert.equal(await person.status(), status);
    });
  }
});
