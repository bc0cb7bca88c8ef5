/** Apple's authorization code: exchanged once, its token kept encrypted, and revoked when the account is gone. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, beforeEach, describe, test } from 'node:test';
import { UnsecuredJWT } from 'jose';
import { exchangeCode } from '../../../src/features/accounts/authorization-code.ts';
import { mergeGuest } from '../../../src/features/accounts/merge.ts';
import { revokeAppleToken } from '../../../src/features/accounts/worker/revoke-apple-token.ts';
import { createSealer } from '../../../src/kernel/sealer.ts';
import { recordingLog } from '../../http/harness.ts';
import { createTestApp } from '../../support/app.ts';
import { appleOverrides, BUNDLE_ID, createTestApple, SERVICE_ID } from '../../support/apple-id.ts';

const apple = await createTestApple();
const log = recordingLog();
const app = await createTestApp({ log, overrides: await appleOverrides(apple) });
after(() => app[Symbol.asyncDispose]());
beforeEach(() => {
  apple.setFault(null);
  apple.calls.length = 0;
  log.lines.length = 0;
});

const CODE = 'c0de-secret';
const TOKEN = 'r.secret';
type Person = { id: string; sub: string };

/** Apple's answer to a code. */
const exchanges = (sub: string, refresh_token = TOKEN) =>
  apple.setFault(() =>
    Response.json({ access_token: 'a', refresh_token, id_token: new UnsecuredJWT({ sub }).encode() }),
  );
const refuses = (error: string) => apple.setFault(() => Response.json({ error }, { status: 400 }));

async function merge(id: string, sub: string, code: string | null, claims: object = {}) {
  // Fetched before the reply is replaced.
  return mergeGuest(app.ctx, {
    ...{ userId: id, sessionId: null, callerIds: [id], nonce: null, deviceId: null, appleSub: null },
    identityToken: await apple.identityToken({ sub, ...claims }),
    authorizationCode: code,
  });
}

/** An Apple account without a token of Apple. */
async function person(): Promise<Person> {
  const id = await app.user();
  const sub = `001.${randomUUID()}`;
  await merge(id, sub, null);
  return { id, sub };
}

async function tokensOf(id: string): Promise<{ client_id: string; sealed_token: Buffer }[]> {
  const sql = 'select client_id, sealed_token from apple_tokens where user_id = $1 order by client_id';
  return (await app.owner.query(sql, [id])).rows;
}
const revocations = async () => (await app.owner.query('select * from apple_revocations')).rows;
const open = (sealed: Buffer, clientId = BUNDLE_ID) =>
  app.ctx.appleTokenSealer.open(Uint8Array.from(sealed), `apple ${clientId}`);
const levels = () => log.lines.map(({ level }) => level).filter((level) => level !== 'info');

/** Nothing that Apple or the app trusts us with may be in the log. */
function assertNoSecrets(): void {
  assert.doesNotMatch(JSON.stringify(log.lines), /secret|eyJ|PRIVATE KEY/);
}

describe('an authorization code', () => {
  test('is exchanged once for a token that is kept encrypted, for the app that it belongs to', async () => {
    const { id, sub } = await person();
    exchanges(sub);
    await merge(id, sub, CODE);
    await merge(id, sub, null);
    assert.deepEqual(
      apple.calls.map(({ path, form }) => [path, form.get('code'), form.get('client_id')]),
      [['/auth/token', CODE, BUNDLE_ID]],
    );
    const [kept, ...others] = await tokensOf(id);
    assert.deepEqual([kept?.client_id, others], [BUNDLE_ID, []]);
    assert.ok(!kept?.sealed_token.includes(TOKEN));
    assert.equal(await open(kept?.sealed_token ?? Buffer.of()), TOKEN);
    assertNoSecrets();
  });

  test('of the same app replaces the token, and one of a website is kept beside it', async () => {
    const { id, sub } = await person();
    for (const [aud, token] of [
      [BUNDLE_ID, 'one'],
      [SERVICE_ID, 'two'],
      [BUNDLE_ID, 'three'],
    ] as const) {
      exchanges(sub, token);
      await merge(id, sub, CODE, { aud });
    }
    const kept = await tokensOf(id);
    const opened = await Promise.all(kept.map(({ client_id, sealed_token }) => open(sealed_token, client_id)));
    assert.deepEqual(opened, ['three', 'two']);
    assert.equal(apple.calls[1]?.form.get('client_id'), SERVICE_ID);
  });

  const unusable: [string, () => void, 'warn' | 'error'][] = [
    ['that was used or has expired', () => refuses('invalid_grant'), 'warn'],
    ['that is malformed', () => refuses('invalid_request'), 'warn'],
    ['while Apple is down', () => apple.setFault(() => new Response('busy', { status: 503 })), 'warn'],
    [
      'while Apple cannot be reached',
      () => apple.setFault(() => Promise.reject(new TypeError(`${CODE} fetch failed`))),
      'warn',
    ],
    ['behind a proxy’s page', () => apple.setFault(() => new Response(`<html>${CODE}</html>`)), 'warn'],
    ['while Apple refuses our key', () => refuses('invalid_client'), 'error'],
    ['while our app may not do this', () => refuses('unauthorized_client'), 'error'],
  ];
  for (const [what, break_, level] of unusable) {
    test(`${what} does not stop the merge; the log says so as ${level}`, async () => {
      const { id, sub } = await person();
      log.lines.length = 0;
      break_();
      const session = await merge(id, sub, CODE);
      assert.equal(session.user.id, id);
      assert.deepEqual([await tokensOf(id), levels()], [[], [level]]);
      assertNoSecrets();
    });
  }

  test('of another Apple user is not kept', async () => {
    const { id, sub } = await person();
    exchanges('001.another');
    await merge(id, sub, CODE);
    assert.deepEqual([await tokensOf(id), levels()], [[], ['warn']]);
    assertNoSecrets();
  });

  test('is not sent anywhere without a key for it', async () => {
    const ctx = { ...app.ctx, appleSignIn: null };
    await exchangeCode(ctx, (await person()).id, { clientId: BUNDLE_ID, sub: 'x' }, CODE);
    assert.deepEqual(apple.calls, []);
  });

  test('whose account is deleted meanwhile has its token revoked', async () => {
    const { id, sub } = await person();
    exchanges(sub);
    const appleSignIn: typeof app.ctx.appleSignIn = app.ctx.appleSignIn && {
      ...app.ctx.appleSignIn,
      exchangeCode: async (...sent) => {
        await app.ctx.db.call('delete_account', { user_id: id });
        return app.ctx.appleSignIn?.exchangeCode(...sent) ?? assert.fail();
      },
    };
    await exchangeCode({ ...app.ctx, appleSignIn }, id, { clientId: BUNDLE_ID, sub }, CODE);
    assert.deepEqual(await tokensOf(id), []);
    apple.setFault(null);
    await app.drain();
    assert.deepEqual(
      apple.calls.map(({ path, form }) => [path, form.get('token')]),
      [
        ['/auth/token', null],
        ['/auth/revoke', TOKEN],
      ],
    );
  });
});

describe('Apple’s token of a deleted account', () => {
  /** Deletes an account that has a token; its revocation waits in the queue. */
  async function deletedWithToken(): Promise<string> {
    const { id, sub } = await person();
    exchanges(sub);
    await merge(id, sub, CODE);
    apple.setFault(null);
    apple.calls.length = 0;
    await app.ctx.db.call('delete_account', { user_id: id });
    log.lines.length = 0;
    const [row, ...others] = await revocations();
    assert.deepEqual(others, []);
    assert.ok(
      !JSON.stringify([row, (await app.owner.query('select * from graphile_worker._private_jobs')).rows]).includes(sub),
    );
    return row.id;
  }

  const outages: [string, () => void, string[]][] = [
    ['is down', () => apple.setFault(() => new Response('busy', { status: 503 })), []],
    ['cannot be reached', () => apple.setFault(() => Promise.reject(new TypeError(`${TOKEN} fetch failed`))), []],
    ['answers with a page', () => apple.setFault(() => new Response(`<html>${TOKEN}</html>`)), []],
    ['refuses our key', () => refuses('invalid_client'), ['error']],
  ];
  for (const [what, break_, logged] of outages) {
    test(`is revoked in the background, again and again while Apple ${what}, and then forgotten`, async () => {
      await deletedWithToken();
      break_();
      for (let tries = 0; tries < 2; tries += 1) {
        const [failure, ...others] = await app.drain();
        assert.deepEqual(others, []);
        assert.match(String(failure), /Apple has not revoked a token/);
        assert.doesNotMatch(String(failure), /secret/);
        assert.equal((await revocations()).length, 1);
        await app.makeAllDue();
      }
      assert.deepEqual(levels(), [...logged, ...logged]);
      assertNoSecrets();
      apple.setFault(null);
      assert.deepEqual(await app.drain(), []);
      assert.deepEqual([apple.calls.at(-1)?.form.get('token'), await revocations()], [TOKEN, []]);
    });
  }

  test('is forgotten when Apple does not know it any more', async () => {
    await deletedWithToken();
    refuses('invalid_grant');
    assert.deepEqual(await app.drain(), []);
    assert.deepEqual(await revocations(), []);
  });

  test('is forgotten with an error in the log when a new SECRET_KEY cannot open it, and nothing is sent', async () => {
    const id = await deletedWithToken();
    const appleTokenSealer = createSealer(
      'another-key-of-everything-at-rest',
      'rendio apple tokens',
      app.ctx.randomBytes,
    );
    await app.drain({ ctx: { ...app.ctx, appleTokenSealer } });
    assert.deepEqual([await revocations(), apple.calls, levels()], [[], [], ['error']]);
    assertNoSecrets();
    await revokeAppleToken(app.ctx, id);
    assert.deepEqual(apple.calls, [], 'a repeat finds nothing');
  });

  test('waits while the key of Sign in with Apple is not configured', async () => {
    await deletedWithToken();
    const [failure] = await app.drain({ ctx: { ...app.ctx, appleSignIn: null } });
    assert.match(String(failure), /not configured/);
    assert.equal((await revocations()).length, 1);
    await app.makeAllDue();
    assert.deepEqual(await app.drain(), []);
  });
});
