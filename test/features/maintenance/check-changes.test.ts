/** The check of what has changed: what it finds, how often it says so, and that no row escapes it. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { checkChanges } from '../../../src/features/maintenance/worker/check-changes.ts';
import { type Log, silentLog } from '../../../src/kernel/log.ts';
import { until } from '../../media/until.ts';
import { createMoneyWorld, type MoneyWorld } from '../../support/money.ts';

describe('the check of changes', () => {
  let world: MoneyWorld;
  before(async () => {
    world = await createMoneyWorld();
  });
  after(() => world[Symbol.asyncDispose]());

  const errors: Record<string, unknown>[] = [];
  const log: Log = { ...silentLog, error: (fields) => void errors.push({ ...fields }) };
  const check = () => checkChanges({ db: world.db, log }, AbortSignal.timeout(60_000));
  const checkedSeq = async (): Promise<number> =>
    (await world.db.read.selectFrom('audit_progress').select('checked_seq').executeTakeFirstOrThrow()).checked_seq;
  const newestSeq = async (): Promise<number> =>
    Number((await world.owner.query('select coalesce(max(seq), 0) as seq from quota_log')).rows[0].seq);
  /** Transactions of other tests on the same PostgreSQL may be running. */
  const checkAll = () =>
    until(async () => {
      await check();
      return (await checkedSeq()) >= (await newestSeq());
    });
  const violations = async (rule: string): Promise<number> => {
    const { rows } = await world.owner.query('select violations from money_checks where invariant = $1', [rule]);
    return rows[0].violations;
  };
  /** A ledger row that no procedure wrote: its balance does not follow from the one before. */
  const badRow = (userId: string) =>
    `insert into quota_log (user_id, change, reason, balance_after) values ('${userId}', 5, 'admin_adjustment', 1000)`;

  it('logs a violation once, and counts it until a check of everything finds that it holds again', async () => {
    const userId = await world.user(10);
    await checkAll();
    assert.deepEqual(errors, []);
    await world.owner.query(badRow(userId));
    await checkAll();
    const rules = errors.map(({ invariant }) => String(invariant));
    assert.ok(rules.includes('every row carries the balance after it'), rules.join());
    assert.ok(errors.every(({ explanation }) => String(explanation).includes(userId)));
    assert.equal(await violations('every row carries the balance after it'), 1);
    // The account goes on; its balance differs from its ledger with every further row.
    await world.call('add_credits', { user_id: userId, amount: 1, reason: 'promo_grant' });
    await checkAll();
    await checkAll();
    const subjects = errors.map(({ invariant, subject }) => `${invariant} ${subject}`);
    assert.equal(new Set(subjects).size, subjects.length, 'each is logged once');
    assert.equal(await violations('a balance equals the sum of its ledger rows'), 1);
    const drop = `drop trigger quota_log_only_grows on quota_log; delete from quota_log where user_id = '${userId}'`;
    const repair = `update users set credits_remaining = 0, credits_total = 0 where id = '${userId}'; delete from credit_lots where user_id = '${userId}'`;
    await world.owner.query(`begin; set local session_replication_role = replica; ${drop}; ${repair}; commit`);
    await world.call('close_violations', { before: new Date(Date.now() + 60_000) });
    assert.equal(await violations('a balance equals the sum of its ledger rows'), 0);
  });

  it('finds a row that was committed after rows with a higher seq were checked', async () => {
    const [late, others] = [await world.user(10), await world.user(10)];
    await checkAll();
    const writer = await world.owner.connect();
    try {
      await writer.query('begin');
      await writer.query(badRow(late));
      const { rows } = await writer.query('select max(seq) as seq from quota_log');
      const lateSeq = Number(rows[0].seq);
      await world.call('add_credits', { user_id: others, amount: 1, reason: 'promo_grant' });
      assert.ok((await newestSeq()) > lateSeq);
      for (let checks = 0; checks < 5; checks += 1) await check();
      assert.ok((await checkedSeq()) < lateSeq, 'nothing after it counts as checked while it is open');
      errors.length = 0;
      await writer.query('commit');
    } finally {
      writer.release(true);
    }
    await checkAll();
    assert.ok(errors.some(({ details }) => Object(details).user_id === late));
  });

  it('finds a job that ended without its refund, although no ledger row tells of it', async () => {
    const userId = await world.user(10);
    const jobId = await world.job(userId);
    await checkAll();
    errors.length = 0;
    await world.owner.query(
      `begin; set local session_replication_role = replica;
       update video_jobs set status = 'failed', error_code = 'ERR_5003', completed_at = clock_timestamp() where job_id = '${jobId}';
       commit`,
    );
    await until(async () => {
      await check();
      return errors.some(({ subject }) => subject === jobId);
    });
  });

  it('reads in steps of bounded size, and reads each row once', async () => {
    const userId = await world.user(10);
    await checkAll();
    const before = await checkedSeq();
    for (let rows = 0; rows < 7; rows += 1)
      await world.call('add_credits', {
        user_id: userId,
        amount: 1,
        reason: 'promo_grant',
        transaction_id: randomUUID(),
      });
    const read: number[] = [];
    await until(async () => {
      const checked = await world.db.call('check_changes', { limit: 3 });
      if (checked && checked.rows > 0) read.push(checked.rows);
      return (await checkedSeq()) === before + 7;
    });
    assert.deepEqual(read, [3, 3, 1]);
  });

  it('leaves the work to another process that is at it', async () => {
    const other = await world.owner.connect();
    try {
      await other.query('begin');
      await other.query('select from audit_progress for update');
      assert.equal(await world.db.call('check_changes', {}), null);
    } finally {
      other.release(true);
    }
  });
});
