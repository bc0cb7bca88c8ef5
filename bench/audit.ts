/**
 * What it costs to check the money: everything, as a multiple of a plain grouped sum of the ledger in the same run, and what has
 * changed, at a thousand ledger rows and at a million.
 */
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { createDatabase, type Database } from '../src/db/database.ts';
import { migrate } from '../src/db/migrate.ts';
import { closePool, createPool } from '../src/db/pool.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../src/embedded-postgres/start.ts';
import { checkChanges } from '../src/features/maintenance/worker/check-changes.ts';
import { silentLog } from '../src/kernel/log.ts';
import type { Audited } from './audit-child.ts';
import { fillLedger, ROWS_PER_ACCOUNT } from './ledger.ts';
import { type Bench, type Measurement, quantile } from './report.ts';

const [FEW_ROWS, MANY_ROWS] = [1_000, 1_000_000];
const AUDIT_SUMS_MAX = 10;
const AUDIT_MB_MAX = 200;
/** The same work; what the larger indexes cost is in it. */
const CHANGES_RATIO_MAX = 2;
const ROUNDS = 5;
/** The first ones read what the database has not read for long. */
const [WARM_UP_CHECKS, CHECKS] = [2, 9];
/** Generations between two checks: a busy minute. */
const CHANGES = 200;

export const audit: Bench = async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'rendio-bench-'));
  const postgres = await startEmbeddedPostgres({ dataDir, log: silentLog });
  try {
    const few = await onDatabase(postgres, 'few', FEW_ROWS, ({ owner, db }) => changesMs(owner, db));
    return await onDatabase(postgres, 'many', MANY_ROWS, async ({ url, owner, db }) => {
      const many = await changesMs(owner, db);
      const whole = await measureWhole(url, owner);
      return [
        ...whole,
        { name: `check of ${CHANGES} generations at a thousand rows`, value: few, unit: 'ms' },
        { name: `check of ${CHANGES} generations at a million rows`, value: many, unit: 'ms' },
        { name: 'the same, as a multiple', value: many / few, unit: '×', promise: CHANGES_RATIO_MAX },
      ];
    });
  } finally {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
};

type Filled = { url: string; owner: pg.Pool; db: Database };

async function onDatabase<T>(
  postgres: EmbeddedPostgres,
  name: string,
  rows: number,
  work: (filled: Filled) => Promise<T>,
): Promise<T> {
  const admin = new pg.Pool({ connectionString: postgres.url, max: 1 });
  await admin.query(`create database ${name}`);
  await admin.end();
  const url = new URL(postgres.url);
  url.pathname = `/${name}`;
  await migrate({ url: url.href, log: silentLog });
  const owner = new pg.Pool({ connectionString: url.href, max: 2 }).on('error', () => {});
  const pool = createPool({ url: url.href, log: silentLog });
  try {
    await fillLedger(owner, Math.ceil(rows / ROWS_PER_ACCOUNT));
    return await work({ url: url.href, owner, db: createDatabase(pool) });
  } finally {
    await Promise.all([closePool(pool), closePool(owner)]);
  }
}

/** Sum and audit take turns, so that whatever else the machine does concerns both. */
async function measureWhole(url: string, owner: pg.Pool): Promise<Measurement[]> {
  const [sums, audits]: [number[], Audited[]] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    const began = performance.now();
    await owner.query('select user_id, sum(change) from quota_log group by user_id');
    sums.push((performance.now() - began) / 1_000);
    const child = fork(fileURLToPath(new URL('audit-child.ts', import.meta.url)), [url]);
    const [audited] = (await once(child, 'message')) as [Audited];
    if (audited.broken > 0) throw new Error('the money that was filled in is broken');
    audits.push(audited);
  }
  const sum = quantile(sums, 0.5);
  const seconds = quantile(
    audits.map((each) => each.seconds),
    0.5,
  );
  return [
    { name: 'grouped sum of a million ledger rows', value: sum * 1_000, unit: 'ms' },
    { name: `audit of ${audits[0]?.rows} rows, the median`, value: seconds, unit: 's' },
    { name: 'audit, in grouped sums', value: seconds / sum, unit: '×', promise: AUDIT_SUMS_MAX },
    {
      name: 'memory of the auditing process, at most',
      value: Math.max(...audits.map((each) => each.peakMb)),
      unit: 'MB',
      promise: AUDIT_MB_MAX,
    },
  ];
}

/** How long a check of some generations takes, the median. */
async function changesMs(owner: pg.Pool, db: Database): Promise<number> {
  const signal = AbortSignal.timeout(600_000);
  const ctx = { db, log: silentLog };
  const users = await addRichUsers(owner, db);
  await checkChanges(ctx, signal);
  const times: number[] = [];
  for (let round = 0; round < WARM_UP_CHECKS + CHECKS; round += 1) {
    await generate(db, users);
    const before = await checkedSeq(db);
    const began = performance.now();
    await checkChanges(ctx, signal);
    if (round >= WARM_UP_CHECKS) times.push(performance.now() - began);
    const checked = (await checkedSeq(db)) - before;
    if (checked < CHANGES) throw new Error(`only ${checked} rows were checked`);
  }
  return quantile(times, 0.5);
}

const RICH_USERS = 40;

async function addRichUsers(owner: pg.Pool, db: Database): Promise<{ id: string }[]> {
  return Promise.all(
    Array.from({ length: RICH_USERS }, async () => {
      const { user_id: id } = await db.call('onboard_device', { device_id: `device-${randomUUID()}` });
      await owner.query(`select add_credits($1, 10000, 'iap_purchase')`, [id]);
      return { id };
    }),
  );
}

/** Of each two generations one fails. */
async function generate(db: Database, users: { id: string }[]): Promise<void> {
  const model = await db.read.selectFrom('models').select('id').where('name', '=', 'Sandbox').executeTakeFirstOrThrow();
  for (let index = 0; index < CHANGES; index += 1) {
    const begun = await db.call('begin_generation', {
      user_id: users[index % users.length]?.id ?? '',
      idempotency_key: randomUUID(),
      request_hash: 'a'.repeat(64),
      model_id: model.id,
      prompt: 'a cat playing piano',
      settings: { duration: 5 },
      limit_account: 1_000_000,
      limit_address: 1_000_000,
      limit_in_flight: 1_000_000,
      deadline_seconds: 1800,
    });
    if (begun.outcome !== 'created') throw new Error(begun.outcome);
    const jobId: string = Object(begun.response).job_id;
    if (index % 2 === 0) await db.call('fail_generation', { job_id: jobId, error_code: 'ERR_5003' });
  }
}

async function checkedSeq(db: Database): Promise<number> {
  const progress = await db.read.selectFrom('audit_progress').select('checked_seq').executeTakeFirstOrThrow();
  return progress.checked_seq;
}
