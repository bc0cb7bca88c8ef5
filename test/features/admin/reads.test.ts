/** What administrators read of accounts, of jobs and of the state of the system. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { buy, notify, readerOf } from '../../support/admin-reads.ts';
import { newAdministrator } from '../../support/administrators.ts';
import { createPeople, newSub, type Person } from '../../support/people.ts';
import { callAsOwner } from '../../support/procedures.ts';

const people = await createPeople();
const { app } = people;
const { all, read, refused } = readerOf(await newAdministrator(app));
after(async () => {
  await people.assertUnbroken().finally(() => people[Symbol.asyncDispose]());
});

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('finding an account', () => {
  let ids: Record<string, string>;
  let person: Person;
  before(async () => {
    const sub = newSub();
    person = await people.appleUser(sub, 5, { email: 'Grace.Hopper@Example.com' });
    const guest = await people.guest(3);
    const guestRow = (await people.rows('select id from quota_log where user_id = $1', [guest.id]))[0];
    const job = await app.generate(guest.id);
    assert.equal((await people.merge(guest.token, { sub })).status, 200);
    await app.drain();
    const transaction = await buy(app, person.id);
    const one = async (sql: string) => String((await people.rows(sql, [person.id]))[0]?.id);
    ids = {
      'its id': person.id,
      'its id in upper case': person.id.toUpperCase(),
      'the id of a guest that was merged into it': guest.id,
      'the id of a ledger row of that guest': String(guestRow?.id),
      'the id of a job that came with that guest': job,
      'the provider’s id of that job': String((await app.job(job)).provider_job_id),
      'the id of a session': await one('select id from sessions where user_id = $1 limit 1'),
      'the id of a purchase': await one('select id from purchases where user_id = $1'),
      'the id of a lot': await one('select id from credit_lots where user_id = $1 limit 1'),
      'a store’s transaction': transaction,
      'a store’s notification': await notify(app, transaction),
      'its e-mail address': 'Grace.Hopper@Example.com',
      'its e-mail address in other letters': ' grace.hopper@EXAMPLE.com ',
      'its Apple sub': sub,
    };
  });
  for (const what of [
    'its id',
    'its id in upper case',
    'the id of a guest that was merged into it',
    'the id of a ledger row of that guest',
    'the id of a job that came with that guest',
    'the provider’s id of that job',
    'the id of a session',
    'the id of a purchase',
    'the id of a lot',
    'a store’s transaction',
    'a store’s notification',
    'its e-mail address',
    'its e-mail address in other letters',
    'its Apple sub',
  ]) {
    it(`succeeds by ${what}`, async () => {
      const { users, next_cursor } = await read('admin-users', { query: ids[what] ?? '' });
      assert.deepEqual([users.length, users[0]?.id, next_cursor], [1, person.id, null]);
    });
  }

  it('shows what the contract says, and no device id and no Apple sub', async () => {
    const { users } = await read('admin-users', { query: person.id });
    const { created_at, ...row } = users[0];
    assert.match(created_at, TIME);
    assert.deepEqual(row, {
      id: person.id,
      email: 'Grace.Hopper@Example.com',
      is_guest: false,
      is_banned: false,
      credits_remaining: 17,
      credits_total: 18,
      deleted_at: null,
    });
  });

  it('finds no account by a part of an id or address, nor by an id of none', async () => {
    for (const query of [person.id.slice(0, 8), 'grace.hopper', '%', randomUUID(), 'a\\b', "' or true --"]) {
      assert.deepEqual((await read('admin-users', { query })).users, []);
    }
    assert.deepEqual((await refused('admin-users', { query: 'a\0b' })).slice(0, 2), [400, 'ERR_4006']);
  });

  it('lists the newest accounts without a query, each once, without deleted ones', async () => {
    const gone = await people.guest(0);
    await people.call(gone.token, 'delete-account', {});
    const listed = (await all('admin-users', 'users', {}, 3)).map(({ id }) => id);
    const living = await people.rows('select id from users where deleted_at is null order by created_at desc, id desc');
    assert.deepEqual(
      listed,
      living.map(({ id }) => id),
    );
    assert.ok(!listed.includes(gone.id));
    assert.match((await read('admin-users', { query: gone.id })).users[0].deleted_at, TIME);
  });
});

describe('an account in figures', () => {
  it('counts its jobs, charges, refunds and purchases, deleted jobs too', async () => {
    const person = await people.guest(10);
    const [done, failed] = [await app.generate(person.id), await app.generate(person.id)];
    await callAsOwner(app.owner, 'fail_generation', { job_id: failed, error_code: 'ERR_5003' });
    await app.drain();
    await people.call(person.token, 'delete-video-job', { job_id: done });
    await buy(app, person.id, { quantity: 2 });
    const { user, stats, recent_transactions } = await read('admin-user-stats', { user_id: person.id });
    assert.deepEqual([user.id, user.credits_remaining, user.is_banned], [person.id, 29, false]);
    assert.deepEqual(stats, {
      total_jobs: 2,
      completed_jobs: 1,
      failed_jobs: 1,
      success_rate: 0.5,
      credits_spent: 2,
      credits_refunded: 1,
      purchases: 1,
    });
    assert.deepEqual(
      recent_transactions.map(({ reason }: { reason: string }) => reason),
      ['iap_purchase', 'generation_failed_refund', 'video_generation', 'video_generation', 'iap_purchase'],
    );
  });

  it('is 404 for an unknown id, and 400 without a real one', async () => {
    for (const path of ['admin-user-stats', 'admin-user-timeline', 'admin-explain-balance']) {
      assert.deepEqual(await refused(path, { user_id: randomUUID() }), [404, 'ERR_4007', 'user_id']);
      assert.deepEqual(await refused(path, { user_id: 'me' }), [400, 'ERR_4006', 'user_id']);
      assert.deepEqual(await refused(path, {}), [400, 'ERR_4006', 'user_id']);
    }
  });
});

describe('one job', () => {
  it('comes with its attempts, events and files, without the prompt, also where a vendor quotes it', async () => {
    const person = await people.guest(10);
    const job = await app.generate(person.id);
    await app.drain();
    await app.owner.query(
      `update provider_attempts set result_error = 'flagged: "A CAT playing Piano" was refused' where job_id = $1`,
      [job],
    );
    await app.owner.query(`select record_provider_event('fal', $1, '["sandbox"]', $2)`, [randomUUID(), job]);
    const found = await read('admin-job', { job_id: job.toUpperCase() });
    assert.deepEqual([found.job.job_id, found.job.status, found.job.user_id], [job, 'completed', person.id]);
    assert.deepEqual(
      found.attempts.map((each: Record<string, unknown>) => [each.attempt, each.state, each.result, each.error]),
      [[1, 'accepted', 'completed', 'flagged: "A … … …" was refused']],
    );
    const types = found.events.map(({ source, type }: { source: string; type: string }) => `${source} ${type}`);
    assert.ok(types.includes('provider ignored') && types.includes('account completed'), types.join());
    assert.deepEqual(
      found.files.map(({ kind, path }: { kind: string; path: string }) => [kind, path]),
      [
        ['video', `videos/${(await app.job(job)).video_url}`],
        ['thumbnail', `thumbnails/${(await app.job(job)).thumbnail_url}`],
      ],
    );
    assert.ok(!/piano/i.test(JSON.stringify(found)));
    assert.deepEqual(await refused('admin-job', { job_id: randomUUID() }), [404, 'ERR_4007', 'job_id']);
  });
});

describe('the state of the system', () => {
  it('names the queue, the providers’ circuits and the broken rules of the money', async () => {
    await app.owner.query(`insert into provider_circuits (provider, state, failing_at, opened_at, probe_at)
      values ('sandbox', 'open', 'job', now(), now()) on conflict (provider) do update set state = 'open', opened_at = now(), probe_at = now()`);
    const rule = 'lots hold the balance';
    await callAsOwner(app.owner, 'record_violations', {
      violations: JSON.stringify([{ invariant: rule, subject: randomUUID(), details: {} }]),
    });
    await app.generate(await app.user(1));
    const health = await read('admin-health');
    assert.equal(health.database, true);
    assert.ok(health.queue.depth >= 1 && health.queue.oldest_seconds >= 0);
    assert.deepEqual(
      health.providers.map(({ name, circuit }: Record<string, string>) => [name, circuit]),
      [['sandbox', 'open']],
    );
    const broken = health.invariants.filter(({ holds }: { holds: boolean }) => !holds);
    assert.deepEqual(
      broken.map((each: { rule: string }) => each.rule),
      [rule],
    );
    assert.match(broken[0].checked_at, TIME);
    await app.owner.query('delete from money_violations; delete from provider_circuits');
    await app.drain();
  });
});
