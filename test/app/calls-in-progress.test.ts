import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { until } from '../media/until.ts';
import { createTestApp } from '../support/app.ts';
import { lock, waitingForLocks } from '../support/locks.ts';
import { createPeople, newSub } from '../support/people.ts';

/** Eight in progress and a hundred in line: §3 of the contract. */
const ADMITTED = 108;
/** Of one IP address, for signing in and refreshing: eight in progress and four hundred in line. */
const SESSIONS_ADMITTED = 408;

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
    const calls = Array.from({ length: 450 }, async () => {
      const response = await refresh();
      // Not 429, for which Supabase’s client would sign the user out.
      if (response.status === 503) rejected += 1;
      return response;
    });
    await until(() => rejected === 450 - SESSIONS_ADMITTED);
    await until(async () => (await waitingForLocks(app)) === 8);
    const headers = { Authorization: `Bearer ${token}` };
    assert.equal((await app.fetch('/functions/v1/get-user-credits', { headers })).status, 200);
    await held.release();
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 400).length, SESSIONS_ADMITTED);
  });

  it('are those of all its ids: a merged guest’s token takes its survivor’s slots', async () => {
    await using people = await createPeople();
    const { app } = people;
    const sub = newSub();
    const [survivor, guest] = [await people.appleUser(sub), await people.guest()];
    assert.equal((await people.merge(guest.token, { sub })).status, 200);
    assert.equal((await people.call(guest.token, 'get-user-credits')).status, 200);
    await using held = await lock(app, 'select from users where id = $1 for update', [survivor.id]);
    const calls = [survivor.token, guest.token].flatMap((token) =>
      Array.from({ length: 8 }, () => people.call(token, 'update-user-profile', { theme_preference: 'dark' })),
    );
    await until(async () => (await waitingForLocks(app)) >= 8);
    // What is still on its way to the lock gets there before the answer to this call, which takes no slot.
    assert.equal((await app.fetch('/functions/v1/get-models')).status, 200);
    assert.equal(await waitingForLocks(app), 8);
    await held.release();
    for (const { status } of await Promise.all(calls)) assert.equal(status, 200);
  });
});
