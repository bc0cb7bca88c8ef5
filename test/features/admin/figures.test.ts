/** What administrators read of the money: explained balances, the overview. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { countDays } from '../../../src/features/admin/worker/count-days.ts';
import { buy, readerOf } from '../../support/admin-reads.ts';
import { newAdministrator } from '../../support/administrators.ts';
import { createPeople, newSub } from '../../support/people.ts';
import { callAsOwner } from '../../support/procedures.ts';

const people = await createPeople();
const { app } = people;
const { read, refused } = readerOf(await newAdministrator(app));
after(async () => {
  await people.assertUnbroken().finally(() => people[Symbol.asyncDispose]());
});

/** Counts, as this much later: after a minute, whatever else runs. */
async function count(later = '61 seconds') {
  await app.owner.query('update day_progress set noted_at = noted_at - $1::interval', [later]);
  await countDays(app.ctx, new AbortController().signal);
}
/** Counts all that is there. */
async function countAll(later?: string) {
  await count(later);
  await count(later);
}

describe('the overview', () => {
  const today = new Date().toISOString().slice(0, 10);
  const dayAgo = (days: number) => new Date(Date.parse(today) - days * 86_400_000).toISOString().slice(0, 10);
  const OLD = dayAgo(3);
  let model: string;
  type Day = { date: string; generations: object; seconds_to_video: object; errors: Record<string, number> };
  const dayOf = async (date: string) => {
    const { days } = await read('admin-overview', { from: date, to: date });
    assert.deepEqual(
      days.map((day: Day) => day.date),
      [date],
    );
    return days[0];
  };
  /** What a day three days ago was like, written as it was then. */
  before(async () => {
    const person = await people.guest(0);
    model = String((await people.rows(`select id from models where name = 'Sandbox'`))[0]?.id);
    await buy(app, person.id, { quantity: 2 });
    const refunded = await buy(app, person.id);
    await app.owner.query(`select refund_purchase('apple', 'Production', $1, now(), true, 50000)`, [refunded]);
    await buy(app, person.id, { currency: 'EUR' });
    for (const seconds of [10, 20, 30, 40, 100]) await finished(person.id, seconds);
    await callAsOwner(app.owner, 'fail_generation', { job_id: await app.generate(person.id), error_code: 'ERR_5002' });
    await app.owner.query('alter table quota_log disable trigger quota_log_only_grows');
    for (const [table, column] of [
      ['quota_log', 'created_at'],
      ['video_jobs', 'completed_at'],
      ['video_jobs', 'created_at'],
      ['provider_attempts', 'ended_at'],
      ['error_log', 'created_at'],
    ]) {
      await app.owner.query(
        `update ${table} set ${column} = ${column} - interval '3 days' where ${column} is not null`,
      );
    }
    await app.owner.query('alter table quota_log enable trigger quota_log_only_grows');
  });
  async function finished(userId: string, seconds: number) {
    const job = await app.generate(userId);
    await app.drain();
    await app.owner.query(
      `update video_jobs set created_at = completed_at - make_interval(secs => $2) where job_id = $1`,
      [job, seconds],
    );
    await app.owner.query('update provider_attempts set vendor_cost_usd = 0.25 where job_id = $1', [job]);
    return job;
  }
  const EXPECTED = {
    date: OLD,
    generations: { completed: 5, failed: 1 },
    success_rate: 5 / 6,
    seconds_to_video: { p50: 30, p95: 100 },
    credits_in: { iap_purchase: 40, generation_failed_refund: 1 },
    credits_out: { apple_refund: 5, video_generation: 6 },
    revenue_usd: 9.98 + 4.99 / 2,
    revenue_other: { EUR: 4.99 },
    provider_cost_usd: 1.25,
    errors: { ERR_5002: 1 },
  };
  const rounded = (day: Record<string, unknown>) => ({
    ...day,
    revenue_usd: Math.round(Number(day.revenue_usd) * 100),
  });

  it('has the same figures before they are counted and after, and counts nothing twice', async () => {
    assert.deepEqual(rounded(await dayOf(OLD)), rounded(EXPECTED));
    await count();
    await app.owner.query(`update day_progress set noted_at = noted_at - interval '61 seconds'`);
    // Two rows at a time, so that several counts add to one day.
    for (let isLimited = true; isLimited; ) {
      isLimited = (await app.ctx.db.call('count_days', { limit: 2 }))?.is_limited ?? false;
      assert.deepEqual(rounded(await dayOf(OLD)), rounded(EXPECTED));
    }
    const [{ figures } = {}] = await people.rows('select figures from day_figures where day = $1', [OLD]);
    assert.deepEqual(Object(figures).seconds, EXPECTED.seconds_to_video);
    assert.equal(Object(figures).duration, undefined);
    assert.deepEqual(rounded(await dayOf(OLD)), rounded(EXPECTED));
    await countAll();
    await Promise.all([count(), count()]);
    assert.deepEqual(rounded(await dayOf(OLD)), rounded(EXPECTED));
  });

  it('has today up to this moment, on top of what is counted', async () => {
    const person = await people.guest(10);
    const was = await dayOf(today);
    await finished(person.id, 7);
    const live = await dayOf(today);
    assert.equal(live.generations.completed, was.generations.completed + 1);
    assert.deepEqual(live.seconds_to_video, { p50: 7, p95: 7 });
    await countAll();
    await finished(person.id, 9);
    assert.deepEqual((await dayOf(today)).seconds_to_video, { p50: 7, p95: 9 });
    await countAll();
    assert.deepEqual((await dayOf(today)).seconds_to_video, { p50: 7, p95: 9 });
  });

  it('keeps a finished day when its jobs and errors are deleted', async () => {
    await app.owner.query(`delete from error_log where created_at < now() - interval '1 day'`);
    await app.owner.query(
      `update video_jobs set deleted_at = now() where completed_at < now() - interval '1 day' and deleted_at is null`,
    );
    assert.deepEqual(rounded(await dayOf(OLD)), rounded(EXPECTED));
  });

  it('counts a row only once every transaction that was running when it was noted has ended', async () => {
    const client = await app.owner.connect();
    const errors = async () => (await dayOf(today)).errors.ERR_6003 ?? 0;
    try {
      await countAll('11 seconds');
      await client.query('begin');
      await client.query(`insert into error_log (error_code) values ('ERR_6003')`);
      await app.owner.query(`insert into error_log (error_code) values ('ERR_6003')`);
      await countAll('11 seconds');
      assert.equal(await errors(), 1);
      await client.query('commit');
      assert.equal(await errors(), 2);
      await countAll('11 seconds');
      await countAll('11 seconds');
      assert.equal(await errors(), 2);
    } finally {
      client.release();
    }
  });

  it('adds the days up by model, with what its credits were worth', async () => {
    const { models, credits_outstanding } = await read('admin-overview', { from: OLD, to: OLD });
    // 25 credits brought 12.475 dollars.
    assert.deepEqual(models, [
      { model_id: model, name: 'Sandbox', generations: 6, credits: 5, provider_cost_usd: 1.25, margin_usd: 1.25 },
    ]);
    const [{ sum }] = (await people.rows('select sum(greatest(credits_remaining, 0))::int as sum from users')) as [
      { sum: number },
    ];
    assert.equal(credits_outstanding, sum);
  });

  it('takes days and instants, at most 400 days apart, and shows every day between', async () => {
    const { days } = await read('admin-overview', { from: `${dayAgo(400)}T23:59:59Z`, to: `${today}T00:00:00+00:00` });
    assert.deepEqual([days.length, days[0].date, days.at(-1).date], [401, dayAgo(400), today]);
    assert.equal((await read('admin-overview')).days.length, 30);
    const field = (query: Record<string, string>) => refused('admin-overview', query);
    assert.deepEqual(await field({ from: dayAgo(401), to: today }), [400, 'ERR_4006', 'from']);
    assert.deepEqual(await field({ from: today, to: OLD }), [400, 'ERR_4006', 'from']);
    assert.deepEqual(await field({ from: '2026-02-31' }), [400, 'ERR_4006', 'from']);
    assert.deepEqual(await field({ to: 'yesterday' }), [400, 'ERR_4006', 'to']);
    assert.deepEqual(await field({ to: '2026-11-23T10:00:00' }), [400, 'ERR_4006', 'to']);
  });
});

describe('an explained balance', () => {
  /** Leaves the job its own movement. */
  async function removeMovements(job: string) {
    await app.owner.query(`alter table lot_movements disable trigger lot_movements_only_grow`);
    await app.owner.query(
      `delete from lot_movements where ledger_id = (select id from quota_log where job_id = $1) and id not in (
      select min(id) from lot_movements where ledger_id = (select id from quota_log where job_id = $1))`,
      [job],
    );
    await app.owner.query(`alter table lot_movements enable trigger lot_movements_only_grow`);
    await app.owner.query(`delete from credit_lots where source = 'promo_grant'`);
  }

  it('has lots whose amounts and movements add up, a page of movements and of lots at a time', async (t) => {
    const person = await people.guest(10);
    const job = await app.generate(person.id);
    t.after(() => removeMovements(job));
    // More movements than one page has, and more lots: what an account leaves after years.
    await app.owner.query(
      `with row as (select id, job_id from quota_log where job_id = $1), lot as (select id from credit_lots where user_id = $2)
       insert into lot_movements (lot_id, change, ledger_id, job_id)
       select lot.id, case when n % 2 = 0 then 1 else -1 end, row.id, row.job_id from lot, row, generate_series(1, 1500) n`,
      [job, person.id],
    );
    await app.owner.query(
      `insert into credit_lots (user_id, source, is_purchased, amount, remaining)
       select $1, 'promo_grant', false, 1, 0 from generate_series(1, 120)`,
      [person.id],
    );
    const first = await read('admin-explain-balance', { user_id: person.id });
    assert.deepEqual([first.user_id, first.balance, first.lots.length], [person.id, 9, 100]);
    const [lot] = first.lots;
    assert.deepEqual([lot.amount, lot.remaining, lot.movements.length], [10, 9, 1000]);
    const second = await read('admin-explain-balance', { user_id: person.id, cursor: lot.next_cursor });
    assert.deepEqual([second.lots.length, second.lots[0].lot_id, second.next_cursor], [1, lot.lot_id, null]);
    const movements = [...lot.movements, ...second.lots[0].movements];
    assert.equal(movements.length, 1501);
    assert.equal(second.lots[0].next_cursor, null);
    assert.equal(
      movements.reduce((sum, { change }) => sum + change, lot.amount),
      lot.remaining,
    );
    const others = await read('admin-explain-balance', { user_id: person.id, cursor: first.next_cursor });
    assert.deepEqual([others.lots.length, others.next_cursor], [21, null]);
    assert.equal(new Set([...first.lots, ...others.lots].map(({ lot_id }) => lot_id)).size, 121);
    assert.ok(first.rules.length > 10);
    const other = await people.guest(0);
    for (const cursor of [lot.next_cursor, first.next_cursor, 'x', btoa('["a"]')]) {
      assert.deepEqual(await refused('admin-explain-balance', { user_id: other.id, cursor }), [
        400,
        'ERR_4006',
        'cursor',
      ]);
    }
  });

  it('is of the survivor for a merged guest’s id', async () => {
    const sub = newSub();
    const [survivor, guest] = [await people.appleUser(sub, 4), await people.guest(6)];
    assert.equal((await people.merge(guest.token, { sub })).status, 200);
    const { user_id, balance, lots, rules } = await read('admin-explain-balance', { user_id: guest.id });
    assert.deepEqual([user_id, balance], [survivor.id, 10]);
    assert.equal(
      lots.reduce((sum: number, { remaining }: { remaining: number }) => sum + remaining, 0),
      10,
    );
    assert.ok(rules.every(({ holds }: { holds: boolean }) => holds));
  });
});
