import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { until } from '../media/until.ts';
import { createTestApp, type TestApp } from '../support/app.ts';

/** Eight in progress and a hundred in line: §3 of the contract. */
const ADMITTED = 108;

type Lock = AsyncDisposable & { release(): Promise<void> };

/** Holds a lock until it is released, also by a test that fails. */
async function lock(app: TestApp, sql: string, values: unknown[]): Promise<Lock> {
  const holder = await app.owner.connect();
  await holder.query('begin');
  await holder.query(sql, values);
  let isHeld = true;
  const release = async () => {
    if (!isHeld) return;
    isHeld = false;
    await holder.query('commit');
    holder.release();
  };
  return { release, [Symbol.asyncDispose]: release };
}

const waitingForLocks = async (app: TestApp): Promise<number> => {
  const sql = `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  return (await app.owner.query<{ n: number }>(sql)).rows[0]?.n ?? 0;
};

describe('the calls in progress of one account', () => {
  it('are eight; a hundred wait outside the database, the others get 429, and other accounts notice nothing', async () => {
    await using app = await createTestApp();
    const [busy, other] = [await app.user(), await app.user()];
    const [busyToken, otherToken] = [await app.tokenOf(busy), await app.tokenOf(other)];
    const change = (token: string) =>
      app.fetch('/functions/v1/update-user-profile', {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ theme_preference: 'dark' }),
      });
    await using held = await lock(app, 'select from users where id = $1 for update', [busy]);
    let rejected = 0;
    const calls = Array.from({ length: 150 }, async () => {
      const response = await change(busyToken);
      if (response.status === 429) rejected += 1;
      return response;
    });
    await until(() => rejected === 150 - ADMITTED);
    await until(async () => (await waitingForLocks(app)) === 8);
    assert.equal((await change(otherToken)).status, 200);
    assert.equal(await waitingForLocks(app), 8);
    await held.release();
    const responses = await Promise.all(calls);
    assert.equal(responses.filter(({ status }) => status === 200).length, ADMITTED);
    const late = responses.find(({ status }) => status === 429);
    assert.ok(late && Number(late.headers.get('Retry-After')) >= 1);
    assert.equal(late.headers.get('RateLimit-Policy'), '"calls_in_progress";q=8');
    assert.equal((await late.json()).error.code, 'ERR_4004');
  });

  it('and those of one IP address leave sessions for others while its rate limit is locked', async () => {
    await using app = await createTestApp();
    const token = await app.tokenOf(await app.user());
    const refresh = () =>
      app.fetch('/auth/v1/token?grant_type=refresh_token', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ refresh_token: 'unknown' }),
      });
    // Every call of that IP address waits for the same lock.
    const key = `hashtextextended('auth ' || '203.0.113.1'::inet::text, 0)`;
    await using held = await lock(app, `select pg_advisory_xact_lock(${key})`, []);
    let rejected = 0;
    const calls = Array.from({ length: 150 }, async () => {
      const response = await refresh();
      // Not 429, for which Supabase’s client would sign the user out.
      if (response.status === 503) rejected += 1;
      return response;
    });
    await until(() => rejected === 150 - ADMITTED);
    await until(async () => (await waitingForLocks(app)) === 8);
    const headers = { Authorization: `Bearer ${token}` };
    assert.equal((await app.fetch('/functions/v1/get-user-credits', { headers })).status, 200);
    await held.release();
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 400).length, ADMITTED);
  });
});
