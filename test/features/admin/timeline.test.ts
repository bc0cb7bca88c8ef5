/** An account's timeline: everything that has happened to it and to its merged guests, in order, a page at a time. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { buy, notify, readerOf } from '../../support/admin-reads.ts';
import { newAdministrator } from '../../support/administrators.ts';
import { createPeople, newSub, type Person } from '../../support/people.ts';
import { callAsOwner } from '../../support/procedures.ts';

const people = await createPeople();
const { app } = people;
const ada = await newAdministrator(app);
const { all, read, refused } = readerOf(ada);
after(async () => {
  await people.assertUnbroken().finally(() => people[Symbol.asyncDispose]());
});

type Event = { at: string; kind: string; summary: string; data: Record<string, unknown> };

/** One of each kind. `refund`: of an administrator, with a reason that names the person. */
async function live(person: Person, email: string) {
  const [job, failed] = [await app.generate(person.id), await app.generate(person.id)];
  const cause = 'refused: a cat playing piano';
  await callAsOwner(app.owner, 'fail_generation', { job_id: failed, error_code: 'ERR_5003', cause });
  await app.drain();
  await app.owner.query(`select record_provider_event('fal', $1, '["sandbox"]', $2)`, [randomUUID(), job]);
  await notify(app, await buy(app, person.id));
  await ada.call('admin-refund-credits', { user_id: person.id, amount: 1, reason: `${email} has asked.` });
}

describe('a timeline', () => {
  const [email, sub] = [`planted.${randomUUID()}@example.com`, newSub()];
  let survivor: Person;
  let guest: Person;
  const events = (limit = 100): Promise<Event[]> =>
    all('admin-user-timeline', 'events', { user_id: survivor.id }, limit);

  before(async () => {
    survivor = await people.appleUser(sub, 5, { email });
    guest = await people.guest(5);
    await live(guest, email);
    assert.equal((await people.merge(guest.token, { sub })).status, 200);
    await live(survivor, email);
    // Somebody else, who must not be in it.
    await live(await people.guest(5), email);
  });

  it('has every row of the account and of its merged guest, once', async () => {
    const kinds = Map.groupBy(await events(), ({ kind }) => kind);
    const counts = Object.fromEntries([...kinds].map(([kind, found]) => [kind, found.length]));
    assert.deepEqual(counts, {
      // For each: what they had at first, two charges, a refund, a purchase, an administrator's refund; and the merge.
      credits: 14,
      job: 4,
      attempt: 2,
      provider_event: 2,
      purchase: 2,
      notification: 2,
      // One at first, one of the merge.
      session: 4,
      admin_action: 2,
      error: 2,
    });
    assert.deepEqual(new Set(kinds.get('credits')?.map(({ data }) => data.user_id)), new Set([survivor.id, guest.id]));
    assert.deepEqual(await all('admin-user-timeline', 'events', { user_id: guest.id }, 100), await events());
  });

  it('is newest first and the same on pages of any size, also where everything happened in one microsecond', async () => {
    const check = async () => {
      const whole = await events();
      assert.deepEqual(
        whole.map(({ at }) => at),
        whole
          .map(({ at }) => at)
          .sort()
          .reverse(),
      );
      for (const limit of [1, 7]) assert.deepEqual(await events(limit), whole, `pages of ${limit}`);
      return whole;
    };
    const before = await check();
    await app.owner.query('alter table quota_log disable trigger quota_log_only_grows');
    for (const table of [
      'quota_log',
      'video_jobs',
      'provider_attempts',
      'provider_events',
      'purchases',
      'sessions',
      'admin_actions',
      'error_log',
    ]) {
      await app.owner.query(`update ${table} set created_at = '2026-11-01T10:00:00.123456Z'`);
    }
    await app.owner.query(`update store_notifications set received_at = '2026-11-01T10:00:00.123456Z'`);
    await app.owner.query('alter table quota_log enable trigger quota_log_only_grows');
    const after = await check();
    assert.equal(after.length, before.length);
    assert.deepEqual(new Set(after.map(({ at }) => at)), new Set(['2026-11-01T10:00:00.123Z']));
  });

  it('says each in a plain sentence, without prompt, e-mail address or token', async () => {
    const found = await events();
    for (const { summary, at } of found) {
      assert.match(summary, /^[A-Za-z+].*\.$/);
      assert.doesNotMatch(summary, /undefined|null|NaN|\[object/);
      assert.match(at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    }
    const text = JSON.stringify(found.map(({ data, ...event }) => ({ ...event, data: { ...data, reason: null } })));
    for (const secret of ['piano', email, sub, 'a signed text', 'planted', survivor.refreshToken])
      assert.ok(!text.includes(secret), secret);
    assert.ok(
      found.some(({ summary }) =>
        summary.startsWith('A video was ordered from Sandbox for 1 credit: it is failed (ERR_5003)'),
      ),
    );
  });

  it('knows whose a notification was that came before the purchase was reported', async () => {
    const person = await people.guest(0);
    const transaction = randomUUID();
    await notify(app, transaction);
    await app.owner.query(
      `select credit_purchase('apple', 'Production', $1, 'com.rendio.credits.10', 1, p_caller_id := $2)`,
      [transaction, person.id],
    );
    const { events: found } = await read('admin-user-timeline', { user_id: person.id });
    assert.deepEqual(
      new Set(found.map(({ kind }: Event) => kind)),
      new Set(['credits', 'purchase', 'notification', 'session']),
    );
  });

  it('refuses another account’s cursor', async () => {
    const { next_cursor: cursor } = await read('admin-user-timeline', { user_id: survivor.id, limit: 1 });
    const other = await people.guest(0);
    assert.deepEqual(await refused('admin-user-timeline', { user_id: other.id, cursor }), [400, 'ERR_4006', 'cursor']);
    const [tag, at] = JSON.parse(atob(cursor));
    for (const id of ['push:1', 'job:x', 'session:1', 'credits', 'job:1:2', `job:${randomUUID()}`]) {
      const forged = btoa(JSON.stringify([tag, at, id]));
      const asked = await refused('admin-user-timeline', { user_id: survivor.id, cursor: forged });
      assert.deepEqual(asked, [400, 'ERR_4006', 'cursor'], id);
    }
  });
});
