/** A server that is killed between the steps of a merge: its repeat on another server completes the merge, once. */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { exportPKCS8, generateKeyPair } from 'jose';
import type pg from 'pg';
import { ENDLESS, type Guest, newGuest } from '../acceptance/support/guest.ts';
import { until } from '../media/until.ts';
import type { Fault } from '../support/apple-id.ts';
import { startAppleId } from '../support/apple-id-server.ts';
import { createTestDatabase, ownerPool } from '../support/postgres.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

/** Any number that no server uses. */
const HELD = 987_654_321;

describe('a server that is killed in the middle of a merge', () => {
  const closing: AsyncDisposable[] = [];
  let owner: pg.Pool;
  let env: Record<string, string>;
  let apple: Awaited<ReturnType<typeof startAppleId>>['apple'];
  let server: TestServer;

  before(async () => {
    const database = await createTestDatabase();
    owner = ownerPool(database.url, 3);
    const appleId = await startAppleId();
    apple = appleId.apple;
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const key = await exportPKCS8(privateKey);
    env = {
      ...appleId.env,
      DATABASE_URL: database.url,
      WORKER: 'off',
      APPLE_TEAM_ID: 'ABCDE12345',
      APPLE_SIGNIN_KEY_ID: '2X9R4HXF34',
      APPLE_SIGNIN_PRIVATE_KEY: key,
      // Every server knows the tokens of the others.
      JWT_PRIVATE_KEY: key,
      SECRET_KEY: randomBytes(32).toString('hex'),
    };
    closing.push(appleId, { [Symbol.asyncDispose]: () => owner.end() }, database);
    await owner.query(`
      create function hold() returns trigger language plpgsql security definer as
      $$ begin perform pg_advisory_xact_lock(${HELD}); return new; end $$`);
    server = await startTestServer({ env });
    // The guests go on calling the same URL.
    env.PORT = new URL(server.url).port;
  });
  after(async () => {
    await server.stop();
    for (const each of closing) await each[Symbol.asyncDispose]();
  });

  type Two = { survivor: Guest; guest: Guest; body: { identity_token: string; authorization_code: string } };

  async function twoAccounts(): Promise<Two> {
    const sub = `001.${randomUUID()}`;
    const [survivor, guest] = [await newGuest(server.url), await newGuest(server.url)];
    const first = await survivor.post('merge-guest-user', { identity_token: await apple.identityToken({ sub }) });
    assert.equal(first.status, 200);
    await guest.start({ prompt: ENDLESS });
    return { survivor, guest, body: { identity_token: await apple.identityToken({ sub }), authorization_code: 'c' } };
  }

  /** Starts another server, repeats the merge there and compares both accounts with a merge that nothing disturbed. */
  async function assertCompletedByRepeat({ survivor, guest, body }: Two): Promise<void> {
    server = await startTestServer({ env });
    const repeated = await guest.post<{ user: { id: string } }>('merge-guest-user', body);
    assert.equal(repeated.status, 200, JSON.stringify(repeated.body));
    assert.equal(repeated.body.user.id, survivor.userId);
    assert.deepEqual([await survivor.balance(), await guest.balance()], [19, 19]);
    const { rows } = await owner.query(
      `select (select count(*)::int from quota_log where user_id = $1 and reason = 'account_merge') as moves,
         (select count(*)::int from video_jobs where user_id = $1) as jobs,
         (select count(*)::int from apple_tokens where user_id = $1) as tokens`,
      [survivor.userId],
    );
    assert.deepEqual(rows, [{ moves: 1, jobs: 1, tokens: 1 }]);
    assert.deepEqual((await owner.query('select * from broken_invariants()')).rows, []);
  }

  const merge = ({ guest, body }: Two) => guest.post('merge-guest-user', body).catch(() => null);

  for (const [where, path] of [
    ['before the accounts are merged, while Apple’s keys are fetched', '/auth/keys'],
    ['after the accounts are merged, while Apple exchanges the code', '/auth/token'],
  ] as const) {
    it(where, async () => {
      const two = await twoAccounts();
      if (path === '/auth/keys') {
        // A new server knows no key yet.
        await server.stop();
        server = await startTestServer({ env });
      }
      const reached = Promise.withResolvers<void>();
      const hold: Fault = (request) => {
        if (new URL(request.url).pathname === path) {
          reached.resolve();
          return new Promise(() => {});
        }
        apple.setFault(null);
        const answer = apple.fetch(request);
        apple.setFault(hold);
        return answer;
      };
      apple.setFault(hold);
      const call = merge(two);
      await reached.promise;
      await server.kill('SIGKILL');
      apple.setFault(null);
      assert.equal(await call, null);
      await assertCompletedByRepeat(two);
    });
  }

  for (const [where, table] of [
    ['while it stores Apple’s refresh token', 'apple_tokens'],
    ['while it opens the session', 'sessions'],
  ] as const) {
    for (const isDone of [true, false]) {
      it(`${where}, and the database ${isDone ? 'has done' : 'has not done'} it`, async () => {
        const two = await twoAccounts();
        await owner.query(`create trigger held before insert on ${table} for each row execute function hold()`);
        const holder = await owner.connect();
        await holder.query(`select pg_advisory_lock(${HELD})`);
        const waiting = () =>
          owner.query<{ pid: number }>(`select pid from pg_locks where locktype = 'advisory' and not granted`);
        const call = merge(two);
        await until(async () => (await waiting()).rows.length > 0);
        await server.kill('SIGKILL');
        assert.equal(await call, null);
        if (!isDone) {
          for (const { pid } of (await waiting()).rows) await owner.query('select pg_terminate_backend($1)', [pid]);
        }
        await holder.query(`select pg_advisory_unlock(${HELD})`);
        holder.release();
        await until(async () => (await waiting()).rows.length === 0);
        await owner.query(`drop trigger held on ${table}`);
        await assertCompletedByRepeat(two);
      });
    }
  }
});
