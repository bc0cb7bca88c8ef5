/** What operators see of the whole database and of a process, and of what they are told. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createRaiseAlert } from '../../../src/alerts/raise-alert.ts';
import { allTasks, CRONTAB } from '../../../src/app/tasks.ts';
import { queueFigures, readOperationsFigures } from '../../../src/features/maintenance/operations-figures.ts';
import { createProcessWatch } from '../../../src/features/maintenance/watch-process.ts';
import { watchDatabase, watchTask } from '../../../src/features/maintenance/worker/watch.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { silentLog } from '../../../src/kernel/log.ts';
import { until } from '../../media/until.ts';
import { newSub } from '../../support/people.ts';
import { openShop, type Shop } from '../purchases/shop.ts';

let shop: Shop;
before(async () => {
  shop = await openShop({ RATE_LIMIT_CALLS_PER_MINUTE: '30' });
});
after(() => shop[Symbol.asyncDispose]());

const signal = AbortSignal.timeout(600_000);
const rows = (sql: string, values: unknown[] = []) => shop.people.rows(sql, values);
const one = async (sql: string): Promise<Record<string, unknown>> => (await rows(sql))[0] ?? {};
const figures = () => readOperationsFigures(shop.people.app.ctx);
const run = (task: string) => allTasks(shop.people.app.ctx)[task]?.({}, { signal, attempt: 1 });
const metrics = async () => (await shop.people.app.ctx.exportMetrics?.())?.text ?? '';

describe('the figures of the database', () => {
  /** By reading every row. */
  async function counted() {
    const generations = await rows(
      `select model_name as model, provider, status as outcome, count(*)::int as total from video_jobs
       where status in ('completed', 'failed') group by 1, 2, 3 order by 2, 3`,
    );
    const accounts = await one(
      `select count(*)::int as n, count(*) filter (where exists (select from purchases p where p.user_id = u.id))::int as paying
       from users u where not is_admin and not exists (select from merged_users m where m.user_id = u.id)`,
    );
    const balances = await rows(
      `select t.up_to as "upTo", (
         select count(*)::int from users u
         where not exists (select from merged_users m where m.user_id = u.id)
           and u.credits_remaining <= t.up_to
           and u.credits_remaining > coalesce((select max(b.up_to) from balance_totals b where b.up_to < t.up_to), -2147483648)
       ) as accounts from balance_totals t order by t.up_to`,
    );
    return { generations, accounts: accounts.n, payingAccounts: accounts.paying, balances };
  }
  async function shown() {
    const { generations, accounts, payingAccounts, balances } = await figures();
    const sorted = [...generations].sort((a, b) => (a.outcome < b.outcome ? -1 : 1));
    return { generations: sorted, accounts, payingAccounts, balances };
  }

  it('are those of all rows, whatever happens to accounts, and whenever the worker adds them up', async () => {
    const { people } = shop;
    const { app } = people;
    assert.deepEqual(await shown(), await counted(), 'of an empty database');
    const [payer, poor, guest, buyer] = [
      await shop.guest(),
      await shop.guest(7),
      await shop.guest(60),
      await shop.guest(),
    ];
    await shop.claimById(payer, shop.bought().transactionId);
    await shop.claimById(payer, shop.bought().transactionId);
    await shop.claimById(buyer, shop.bought().transactionId);
    const failing = await app.generate(guest.id);
    await app.generate(guest.id);
    await app.ctx.db.call('fail_generation', { job_id: failing, error_code: 'ERR_5003' });
    await app.ctx.db.call('fail_generation', { job_id: failing, error_code: 'ERR_5003' });
    await app.drain();
    assert.deepEqual(await shown(), await counted(), 'before any is added up');
    await Promise.all([run('total_metrics'), run('total_metrics')]);
    await run('check_changes');
    assert.deepEqual(await shown(), await counted(), 'in the middle');
    // Purchases move: to an account without any, then to one that has some.
    const [first, second] = [newSub(), newSub()];
    for (const [person, sub] of [
      [poor, first],
      [buyer, first],
      [payer, second],
      [guest, second],
    ] as const)
      assert.equal((await people.merge(person.token, { sub })).status, 200);
    assert.deepEqual(await shown(), await counted(), 'after merges');
    const refunded = shop.bought();
    await shop.claimById(payer, refunded.transactionId);
    await shop.notify('REFUND', refunded);
    await people.call(poor.token, 'delete-account', {});
    await app.drain();
    await until(async () => {
      await run('check_changes');
      return (
        (await one('select count(*)::int as n from quota_log where seq > (select counted_seq from audit_progress)'))
          .n === 0
      );
    });
    await run('total_metrics');
    assert.deepEqual(await rows('select * from metric_entries'), [], 'all are added up');
    assert.deepEqual(await shown(), await counted(), 'at the end');
    const text = await metrics();
    assert.match(text, /^rendio_generations_total\{model="Sandbox",provider="sandbox",outcome="completed"\} 1$/m);
    assert.match(text, /^rendio_generations_total\{model="Sandbox",provider="sandbox",outcome="failed"\} 1$/m);
    assert.match(text, /^rendio_generation_seconds_count\{provider="sandbox"\} 1$/m);
    assert.match(
      text,
      /^rendio_provider_request_seconds_count\{provider="sandbox",call="submit",outcome="accepted"\} \d+$/m,
    );
  });

  it('count nothing of a transaction that is rolled back', async () => {
    const before = await shown();
    await rows(
      `do $$ begin insert into users (device_id) values ('rolled-back-device'); raise 'undone'; exception when others then null; end $$`,
    );
    assert.deepEqual(await shown(), before);
  });

  it('of the queue are its due tasks and the age of the oldest; what is running or for later does not count', async () => {
    await rows('delete from graphile_worker._private_jobs');
    assert.deepEqual((await figures()).queue, { depth: 0, oldestSeconds: 0 });
    for (const [name, ago] of [
      ['a', '20 minutes'],
      ['b', '10 minutes'],
      ['c', '-1 hour'],
      ['d', '1 hour'],
    ])
      await rows(`select graphile_worker.add_job('expire_lots', '{}', run_at := now() - $1::interval, job_key := $2)`, [
        ago,
        name,
      ]);
    await rows(`update graphile_worker._private_jobs set locked_at = now(), locked_by = 'w' where key = 'd'`);
    const { depth, oldestSeconds } = (await figures()).queue;
    assert.equal(depth, 2);
    assert.ok(oldestSeconds >= 1_200 && oldestSeconds < 1_300, `${oldestSeconds}`);
  });

  it('of a long queue are read from its index', async () => {
    await rows(`select graphile_worker.add_jobs(array(select ('expire_lots', '{}', null, now() - interval '1 day', null, null, null, null)::graphile_worker.job_spec
                from generate_series(1, 3000)))`);
    await rows('analyze graphile_worker._private_jobs');
    const { sql, parameters } = queueFigures().compile(shop.people.app.ctx.db.read);
    const plan = JSON.stringify(await rows(`explain (format json) ${sql}`, [...parameters]));
    assert.match(plan, /"Index Name": ?"jobs_main_index/);
    assert.doesNotMatch(plan, /"Sort"/);
    await rows('delete from graphile_worker._private_jobs');
  });

  it('are added up every minute', () => assert.match(CRONTAB, /^\* \* \* \* \* total_metrics /m));
});

describe('a process counts', () => {
  const series = async (name: string, labels: string): Promise<number> => {
    const found = new RegExp(`^${name}\\{${labels}\\} (\\S+)$`, 'm').exec(await metrics());
    return Number(found?.[1] ?? 0);
  };

  it('requests by the pattern of their route, also those that no route takes, with few values of each label', async () => {
    const { app } = shop.people;
    const guest = await shop.guest();
    for (const path of ['/secret-path-1', '/secret-path-2']) await app.fetch(path, { method: 'PROPFIND' });
    await shop.people.call(guest.token, 'get-video-status?job_id=3f2504e0-4f89-41d3-9a0c-0305e82c3301');
    const text = await metrics();
    assert.match(text, /^rendio_http_requests_total\{route="none",method="other",status="404"\} 2$/m);
    assert.match(
      text,
      /^rendio_http_requests_total\{route="\/functions\/v1\/get-video-status",method="GET",status="404"\} 1$/m,
    );
    assert.ok(!text.includes('secret-path') && !text.includes('PROPFIND') && !text.includes('3f2504e0'));
    const count = Number(/^rendio_http_request_duration_seconds_count (\d+)$/m.exec(text)?.[1]);
    const requests = [...text.matchAll(/^rendio_http_requests_total\{.*\} (\d+)$/gm)].reduce(
      (sum, [, n]) => sum + Number(n),
      0,
    );
    assert.equal(count, requests);
    assert.ok((await series('rendio_errors_total', 'code="ERR_4007"')) >= 3);
  });

  it('what a limit and what a missing right refused, by the reason', async () => {
    const { app } = shop.people;
    const before = await series('rendio_auth_failures_total', 'reason="bad_token"');
    await shop.people.call('nonsense', 'get-user-credits');
    assert.equal(await series('rendio_auth_failures_total', 'reason="bad_token"'), before + 1);
    await app.fetch('/functions/v1/get-user-credits');
    assert.ok((await series('rendio_auth_failures_total', 'reason="missing"')) > 0);
    const guest = await shop.guest();
    const statuses = [];
    for (let call = 0; call < 32; call += 1)
      statuses.push((await shop.people.call(guest.token, 'get-user-credits')).status);
    assert.equal(statuses.filter((status) => status === 429).length, 2);
    assert.equal(await series('rendio_rate_limited_total', 'policy="calls"'), 2);
    const refreshed = await shop.people.refresh(guest.refreshToken);
    assert.equal(refreshed.status, 200);
    await shop.people.refresh('unknown');
    assert.equal(await series('rendio_session_refreshes_total', 'outcome="rotated"'), 1);
    assert.equal(await series('rendio_session_refreshes_total', 'outcome="not_found"'), 1);
    assert.equal(await series('rendio_auth_failures_total', 'reason="refresh_not_found"'), 1);
  });
});

describe('operators are told', () => {
  beforeEach(() => rows('truncate alerts; delete from graphile_worker._private_jobs'));
  const raised = async () => {
    const found = await rows('select kind, subject, details from alerts order by kind, subject');
    return found.map(({ kind, subject }) => `${kind} ${subject}`.trim());
  };
  /** Anew for each test: a process raises a cause once a minute. */
  const raiser = () => {
    const { db } = shop.people.app.ctx;
    const calls: Promise<unknown>[] = [];
    const call: typeof db.call = (name, args) => {
      const answer = db.call(name, args);
      calls.push(answer);
      return answer;
    };
    return {
      raiseAlert: createRaiseAlert({ db: { call }, log: silentLog, clock: systemClock }),
      done: () => Promise.allSettled(calls),
      calls,
    };
  };

  it('of an opened circuit, in the transaction that opens it', async () => {
    const { app } = shop.people;
    const user = await app.user(100);
    assert.match(await metrics(), /^rendio_provider_circuit\{provider="sandbox"\} 0$/m);
    for (let failed = 0; failed < 5; failed += 1) {
      assert.deepEqual(await raised(), []);
      const jobId = await app.generate(user);
      await app.ctx.db.call('record_provider_outcome', { provider: 'sandbox', job_id: jobId, outcome: 'turned_away' });
    }
    assert.deepEqual(await raised(), ['provider_circuit sandbox']);
    assert.match(await metrics(), /^rendio_provider_circuit\{provider="sandbox"\} 1$/m);
    await rows('delete from provider_circuits');
  });

  it('of a queue that waits for more than five minutes, by a task that goes before all others', async () => {
    const { raiseAlert, done } = raiser();
    const ctx = { ...shop.people.app.ctx, raiseAlert };
    await rows(`select graphile_worker.add_job('expire_lots', '{}', run_at := now() - interval '290 seconds')`);
    await watchDatabase(ctx);
    await done();
    assert.deepEqual(await raised(), []);
    await rows(`select graphile_worker.add_job('expire_lots', '{}', run_at := now() - interval '301 seconds')`);
    await watchDatabase(ctx);
    await watchDatabase(ctx);
    await done();
    assert.deepEqual(await raised(), ['queue_stalled']);
    const [first] = await rows(
      `select t.identifier from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id
       order by j.priority, j.run_at limit 1`,
    );
    assert.equal(first?.identifier, 'send_alert');
  });

  it('of refunds above a share of the generations of an hour, not of a few, and not of old ones', async () => {
    const { app } = shop.people;
    const user = await app.user(100);
    await rows(`update quota_log set created_at = created_at - interval '2 hours'`).catch(() => {});
    const { raiseAlert, done } = raiser();
    const ctx = { ...app.ctx, raiseAlert };
    const jobs: string[] = [];
    const started = await one(
      `select count(*)::int as n from quota_log where reason = 'video_generation' and created_at > now() - interval '1 hour'`,
    );
    for (let job = Number(started.n); job < 20; job += 1) jobs.push(await app.generate(user));
    await watchDatabase(ctx);
    await done();
    assert.ok(!(await raised()).includes('refund_share'));
    for (const job_id of jobs.slice(0, 7)) await app.ctx.db.call('fail_generation', { job_id, error_code: 'ERR_5002' });
    await watchDatabase(ctx);
    await done();
    assert.ok((await raised()).includes('refund_share'));
  });

  it('of a task that fails every time, but not of one that sends alerts', async () => {
    const { raiseAlert, done } = raiser();
    for (const attempts of [1, 4]) watchTask({ raiseAlert }, { task: 'prune_logs', attempts });
    watchTask({ raiseAlert }, { task: 'send_alert', attempts: 9 });
    await done();
    assert.deepEqual(await raised(), []);
    watchTask({ raiseAlert }, { task: 'prune_logs', attempts: 5 });
    await done();
    assert.deepEqual(await raised(), ['task_fails prune_logs']);
  });

  it('of a disk that is almost full, and of sessions that stay used up', async () => {
    const kinds: string[] = [];
    const pool = { waitingCount: 0, idleCount: 1, totalCount: 20 };
    const space = { freeBytes: 4e9, totalBytes: 50e9 };
    const watch = createProcessWatch({
      db: { pool } as never,
      diskSpace: async () => space,
      raiseAlert: ({ kind }) => void kinds.push(kind),
    });
    await watch();
    assert.deepEqual(kinds, [], '8 % are free');
    space.totalBytes = 100e9;
    await watch();
    assert.deepEqual(kinds.splice(0), ['disk_full']);
    Object.assign(space, { freeBytes: 40e9, totalBytes: 1_000e9 });
    Object.assign(pool, { waitingCount: 3, idleCount: 0 });
    for (let check = 1; check <= 2; check += 1) await watch();
    Object.assign(pool, { waitingCount: 0 });
    await watch();
    Object.assign(pool, { waitingCount: 3 });
    for (let check = 1; check <= 2; check += 1) await watch();
    assert.deepEqual(kinds, [], 'a burst, and another one');
    await watch();
    assert.deepEqual(kinds, ['database_pool']);
  });

  it('once a minute and process at most, again after a failure, and no caller hears of it', async () => {
    const { raiseAlert, done, calls } = raiser();
    for (let times = 0; times < 3; times += 1) raiseAlert({ kind: 'vendor_key', subject: 'fal' });
    await done();
    assert.equal(calls.length, 1);
    const lost = createRaiseAlert({
      db: { call: async () => assert.fail('away') },
      log: silentLog,
      clock: systemClock,
    });
    lost({ kind: 'vendor_key', subject: 'fal' });
    await new Promise(setImmediate);
    assert.deepEqual(await raised(), ['vendor_key fal']);
  });
});
