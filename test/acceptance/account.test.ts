/** The account as its owner sees it: profile, balance, ledger. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { type History, historyShape, type Profile, profileShape } from './support/answers.ts';
import { call, expectStatus } from './support/api.ts';
import { newGuest } from './support/guest.ts';
import { assertRefused } from './support/refusal.ts';
import { assertShape } from './support/shape.ts';
import { useTarget } from './support/target.ts';

const target = useTarget();

describe('the profile', () => {
  test('of a new guest has every promised field and no other', async () => {
    const guest = await newGuest(target.url);
    const reply = expectStatus(await guest.get<Profile>('get-user-profile'), 200);
    assertShape(reply.body, profileShape);
    const { created_at, updated_at, ...rest } = reply.body;
    assert.deepEqual(rest, {
      id: guest.userId,
      email: null,
      device_id: guest.deviceId,
      apple_sub: null,
      is_guest: true,
      tier: 'free',
      credits_remaining: 10,
      credits_total: 10,
      initial_grant_claimed: true,
      language: 'en',
      theme_preference: 'system',
    });
    assert.ok(updated_at >= created_at);
    assert.ok(Math.abs(Date.parse(created_at) - Date.now()) < 60_000);
  });

  for (const method of ['PATCH', 'POST']) {
    test(`${method} changes the given fields, keeps the others, and answers with the profile`, async () => {
      const guest = await newGuest(target.url);
      const before = await guest.profile();
      const change = async (body: object) => {
        const reply = await call<Profile>(target.url, method, 'update-user-profile', { token: guest.token, body });
        expectStatus(reply, 200);
        assertShape(reply.body, profileShape);
        assert.deepEqual(reply.body, await guest.profile());
        return reply.body;
      };
      const turkish = await change({ language: 'tr' });
      assert.deepEqual([turkish.language, turkish.theme_preference], ['tr', 'system']);
      const dark = await change({ theme_preference: 'dark' });
      assert.deepEqual([dark.language, dark.theme_preference], ['tr', 'dark']);
      const both = await change({ language: 'es', theme_preference: 'light' });
      assert.deepEqual([both.language, both.theme_preference], ['es', 'light']);
      assert.deepEqual([(await change({})).language, both.theme_preference], ['es', 'light']);
      assert.ok(both.updated_at > before.updated_at);
      assert.equal(both.created_at, before.created_at);
    });

    test(`${method} answers an invalid value with its field and the allowed values, and changes nothing`, async () => {
      const guest = await newGuest(target.url);
      const before = await guest.profile();
      const refused = async (body: object, field: string, allowed: string[]) => {
        const reply = await call(target.url, method, 'update-user-profile', { token: guest.token, body });
        assertRefused(reply, 400, 'ERR_4006', { field, allowed });
      };
      for (const language of ['de', 'EN', 'en-US', '', 1, true, ['en'], { a: 1 }]) {
        await refused({ language, theme_preference: 'dark' }, 'language', ['en', 'tr', 'es']);
      }
      for (const theme of ['blue', 'Dark', '', 0, false, ['dark'], {}]) {
        await refused({ theme_preference: theme, language: 'tr' }, 'theme_preference', ['light', 'dark', 'system']);
      }
      assert.deepEqual(await guest.profile(), before);
    });
  }

  test('no other field of it can be written', async () => {
    const guest = await newGuest(target.url);
    const before = await guest.profile();
    const fields = {
      ...before,
      id: randomUUID(),
      email: 'a@b.c',
      device_id: 'another-device',
      apple_sub: '001',
      is_guest: false,
      is_admin: true,
      tier: 'premium',
      credits_remaining: 1000,
      credits_total: 1000,
      initial_grant_claimed: false,
      created_at: '2020-01-01T00:00:00.000Z',
    };
    expectStatus(await guest.post('update-user-profile', fields), 200);
    assert.deepEqual({ ...(await guest.profile()), updated_at: '' }, { ...before, updated_at: '' });
  });
});

describe('the balance and its ledger', () => {
  test('begin with the initial grant, and get-user-credits answers with the balance alone', async () => {
    const guest = await newGuest(target.url);
    const credits = expectStatus(await guest.get('get-user-credits'), 200);
    assert.deepEqual(credits.body, { credits_remaining: 10 });
    const history = expectStatus(await guest.get<History>('get-credit-history'), 200);
    assertShape(history.body, historyShape);
    const [grant] = history.body.transactions;
    assert.equal(history.body.transactions.length, 1);
    assert.equal(history.body.next_cursor, null);
    assert.deepEqual(
      [grant?.change, grant?.reason, grant?.balance_after, grant?.job_id],
      [10, 'initial_grant', 10, null],
    );
  });

  test('the balance is the sum of the rows, newest first, and each row has the balance after it', async () => {
    const guest = await newGuest(target.url);
    const first = await guest.start();
    await guest.start();
    await guest.cancel(first.job_id);
    const third = await guest.start();
    await guest.cancel(third.job_id);

    const rows = await guest.ledger();
    assert.equal(rows.length, 6);
    assert.equal(
      rows.reduce((sum, { change }) => sum + change, 0),
      await guest.balance(),
    );
    let running = 0;
    for (const row of rows.toReversed()) {
      running += row.change;
      assert.equal(row.balance_after, running);
    }
    const times = rows.map(({ created_at }) => created_at);
    assert.deepEqual(times, times.toSorted().reverse());
    const ofFirst = rows.filter(({ job_id }) => job_id === first.job_id);
    assert.deepEqual(
      ofFirst.map(({ reason, change }) => [reason, change]),
      [
        ['generation_failed_refund', 1],
        ['video_generation', -1],
      ],
    );
    assert.equal((await guest.profile()).credits_total, 10, 'a refund does not count as earned');
  });

  test('are paged by a cursor that newer rows do not move', async () => {
    const guest = await newGuest(target.url);
    const jobs = [await guest.start(), await guest.start(), await guest.start(), await guest.start()];
    const all = await guest.ledger();
    const page = async (query: string) => {
      const reply = expectStatus(await guest.get<History>(`get-credit-history${query}`), 200);
      assertShape(reply.body, historyShape);
      return reply.body;
    };
    assert.deepEqual((await page('?limit=100')).transactions, all);
    let { transactions: seen, next_cursor } = await page('?limit=2');
    assert.equal(seen.length, 2);
    for (const { job_id } of jobs) {
      if (next_cursor === null) break;
      await guest.cancel(job_id);
      const next: History = await page(`?limit=2&cursor=${encodeURIComponent(next_cursor)}`);
      seen = [...seen, ...next.transactions];
      next_cursor = next.next_cursor;
    }
    assert.equal(next_cursor, null);
    assert.deepEqual(seen, all);
  });

  test('a full last page has no next cursor', async () => {
    const guest = await newGuest(target.url);
    await guest.start();
    const exact = expectStatus(await guest.get<History>('get-credit-history?limit=2'), 200).body;
    assert.equal(exact.transactions.length, 2);
    assert.equal(exact.next_cursor, null);
    const one = expectStatus(await guest.get<History>('get-credit-history?limit=1'), 200).body;
    assert.notEqual(one.next_cursor, null);
  });

  test("the cursor of another user shows only the caller's rows", async () => {
    const [mine, theirs] = [await newGuest(target.url), await newGuest(target.url)];
    for (let count = 0; count < 3; count += 1) await theirs.start();
    await mine.start();
    const page = (await theirs.get<History>('get-credit-history?limit=1')).body;
    const cursor = encodeURIComponent(page.next_cursor ?? '');
    const reply = await mine.get<History>(`get-credit-history?cursor=${cursor}`);
    if (reply.status === 200) {
      const own = new Set((await mine.ledger()).map(({ id }) => id));
      assert.ok(reply.body.transactions.every(({ id }) => own.has(id)));
    } else assertRefused(reply, 400, 'ERR_4006', { field: 'cursor' });
  });

  for (const limit of ['0', '101', '-1', '1.5', '1e1', 'ten', '%20', '0x10', '99999999999999999999']) {
    test(`limit=${limit} is 400, and the answer names the field`, async () => {
      const guest = await newGuest(target.url);
      assertRefused(await guest.get(`get-credit-history?limit=${limit}`), 400, 'ERR_4006', { field: 'limit' });
    });
  }

  test('an invalid cursor is 400, and the answer names the field', async () => {
    const guest = await newGuest(target.url);
    for (const cursor of [
      'x',
      '-1',
      '%00',
      'MQ%3D%3D%3D%3D',
      'LTE',
      'MC41',
      'bnVsbA',
      'OTk5OTk5OTk5OTk5OTk5OTk5OTk5',
      'a'.repeat(5000),
      '%27%20or%201%3D1',
    ]) {
      assertRefused(await guest.get(`get-credit-history?cursor=${cursor}`), 400, 'ERR_4006', { field: 'cursor' });
    }
  });
});
