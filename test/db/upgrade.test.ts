/** An upgrade of a database that servers of the version before use all the while. */
import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import pg from 'pg';
import { LOCK_TIMEOUT_MS, migrate } from '../../src/db/migrate.ts';
import { createPool } from '../../src/db/pool.ts';
import type { Log } from '../../src/kernel/log.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { until } from '../media/until.ts';
import { databaseOfVersion } from '../support/old-database.ts';
import { createTestDatabase } from '../support/postgres.ts';

/** What the version before consists of. */
const VERSION_BEFORE = '20261129000001_behaviour';

async function connectTo(url: string): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client(url);
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

// biome-ignore lint/suspicious/noExplicitAny: what old procedures return is declared nowhere any more.
type Call = (procedure: string, args: Record<string, unknown>) => Promise<any>;

function callerOf(pool: pg.Pool): Call {
  return async (procedure, args) => {
    const list = Object.keys(args).map((name, index) => `p_${name} := $${index + 1}`);
    const { rows } = await pool.query(`select public.${procedure}(${list.join(', ')}) as result`, Object.values(args));
    return rows[0].result;
  };
}

/** One account and three generations, by the calls and the arguments of the version before. */
async function callEveryProcedure(call: Call, modelId: string): Promise<void> {
  const { user_id: userId } = await call('onboard_device', { device_id: `device-${randomUUID()}`, language: 'en' });
  await call('claim_initial_grant', { user_id: userId, bit1: true });
  await call('complete_initial_grant', { user_id: userId, amount: 10 });
  await call('open_session', {
    user_id: userId,
    session_id: randomUUID(),
    token_hash: randomBytes(32),
    nonce: randomBytes(32),
    lifetime_seconds: 60,
  });
  const begin = async () => {
    const begun = await call('begin_generation', {
      user_id: userId,
      idempotency_key: randomUUID(),
      request_hash: createHash('sha256').update(userId).digest('hex'),
      model_id: modelId,
      prompt: 'a prompt',
      settings: { duration: 5 },
      image_url: null,
      address: '192.0.2.1',
      limit_account: 1000,
      limit_address: 1000,
      limit_in_flight: 1000,
      deadline_seconds: 1800,
    });
    assert.equal(begun.outcome, 'created');
    return begun.response.job_id as string;
  };
  await completeAndDelete(call, userId, await begin());
  await failAndCancel(call, userId, begin);
  await upload(call, userId);
  await call('requeue_orphans', { limit: 100 });
  await call('expire_uploads', { unused_days: 30, limit: 100 });
  await call('prune_logs', {});
}

async function completeAndDelete(call: Call, userId: string, completed: string): Promise<void> {
  const attempt = await call('begin_attempt', { job_id: completed });
  const submitted = await call('mark_submitted', {
    job_id: completed,
    attempt_id: attempt.attempt_id,
    provider_job_id: randomUUID(),
    vendor_request_id: null,
  });
  assert.equal(submitted.outcome, 'submitted');
  await call('record_progress', { job_id: completed, progress: 50, queue_position: null });
  await call('schedule_settle', { job_id: completed, delay_ms: 1000 });
  await call('end_attempt', { job_id: completed, result: 'completed', error: null, cost_usd: null });
  await call('note_provider_health', { provider: 'sandbox', job_id: completed, fared: 'completed' });
  const finished = await call('finish_generation', {
    job_id: completed,
    video_path: `${userId}/2026-11/${completed}.mp4`,
    thumbnail_path: `${userId}/2026-11/${completed}.jpg`,
    video_bytes: 1000,
    video_sha256: '0'.repeat(64),
    video_seconds: 5,
  });
  assert.equal(finished, true);
  assert.equal(await call('delete_generation', { user_id: userId, job_id: completed }), 'deleted');
}

async function failAndCancel(call: Call, userId: string, begin: () => Promise<string>): Promise<void> {
  const refused = await begin();
  const attempt = await call('begin_attempt', { job_id: refused });
  assert.equal(await call('close_attempt', { attempt_id: attempt.attempt_id, state: 'refused', error: 'later' }), true);
  await call('schedule_submit', { job_id: refused, delay_ms: 1000 });
  assert.equal(
    await call('fail_generation', { job_id: refused, error_code: 'ERR_5002', cause: 'no', reason: null }),
    true,
  );
  await call('schedule_stop', { job_id: refused, delay_ms: 0 });
  const cancelled = await begin();
  await call('schedule_confirm', { job_id: cancelled, provider_job_id: 'x', delay_ms: 1000, look: 1 });
  const answer = await call('cancel_generation', {
    user_id: userId,
    job_id: cancelled,
    idempotency_key: null,
    request_hash: null,
  });
  assert.equal(answer.outcome, 'cancelled');
}

async function upload(call: Call, userId: string): Promise<void> {
  const image = {
    user_id: userId,
    path: `${userId}/image.png`,
    content_type: 'image/png',
    bytes: 1000,
    width: 300,
    height: 300,
    sha256: '0'.repeat(64),
    upsert: false,
    pictures_max: 200,
    bytes_max: 1_000_000,
  };
  const begun = await call('begin_upload', image);
  assert.equal(begun.outcome, 'begun');
  assert.equal((await call('finish_upload', { id: begun.id, path: image.path, upsert: false })).outcome, 'stored');
  await call('remove_uploads', { user_id: userId, paths: JSON.stringify([image.path]) });
}

test('servers of the version before miss no procedure before, during and after an upgrade', async () => {
  await using database = await databaseOfVersion(VERSION_BEFORE);
  const { url } = database;
  const pool = createPool({ url, log: silentLog });
  await using _pool = { [Symbol.asyncDispose]: () => pool.end() };
  const call = callerOf(pool);
  const { rows } = await pool.query(`select id from models where provider = 'sandbox'`);
  await callEveryProcedure(call, rows[0].id);
  let rounds = 0;
  let isMigrated = false;
  const before = (async () => {
    while (!isMigrated) {
      await callEveryProcedure(call, rows[0].id);
      rounds += 1;
    }
  })();
  const report = await migrate({ url, log: silentLog }).finally(() => {
    isMigrated = true;
  });
  await before;
  assert.ok(report.migrations.length > 0);
  assert.ok(rounds > 0);
  await callEveryProcedure(call, rows[0].id);
  assert.deepEqual((await pool.query('select * from broken_invariants()')).rows, []);
});

/** Resolves when the migration has said that it waits. */
function logOfWait(): { log: Log; waits: Promise<void> } {
  const { promise: waits, resolve } = Promise.withResolvers<void>();
  const warn = (_fields: object, message: string) => {
    if (message.startsWith('migration waits')) resolve();
  };
  return { log: { ...silentLog, warn }, waits };
}

test('a migration that meets a dump lets other sessions through, and finishes after the dump', async () => {
  await using database = await databaseOfVersion(VERSION_BEFORE);
  const { url } = database;
  await using dump = await connectTo(url);
  await using reader = await connectTo(url);
  await dump.query('begin');
  await dump.query('lock table video_jobs in access share mode');
  const { log, waits } = logOfWait();
  const migrated = migrate({ url, log });
  await waits;
  // A read that queues behind the migration's lock is let through when the migration gives up.
  await reader.query(`set statement_timeout = ${4 * LOCK_TIMEOUT_MS}`);
  for (let reads = 0; reads < 5; reads += 1) await reader.query('select count(*) from video_jobs');
  await dump.query('commit');
  assert.ok((await migrated).migrations.length > 0);
});

test('a call that waits for a table of the upgrade, and the upgrade for one of the call’s, is not failed as a deadlock', async () => {
  await using database = await databaseOfVersion(VERSION_BEFORE);
  const { url } = database;
  await using call = await connectTo(url);
  await using observer = await connectTo(url);
  await call.query('begin');
  await call.query('lock table sessions in row exclusive mode');
  const migrated = migrate({ url, log: silentLog });
  await until(async () => {
    const { rowCount } = await observer.query(
      `select from pg_locks where relation = 'sessions'::regclass and mode = 'AccessExclusiveLock' and not granted`,
    );
    return rowCount === 1;
  });
  await call.query('select from users limit 1 for update');
  await call.query('commit');
  assert.ok((await migrated).migrations.length > 0);
});

test('an index that an earlier try left half-built is built again', async () => {
  await using database = await databaseOfVersion(VERSION_BEFORE);
  const { url } = database;
  await using owner = await connectTo(url);
  await using blocker = await connectTo(url);
  const index = 'video_jobs_deleted_of_user';
  await blocker.query('begin');
  await blocker.query('lock table video_jobs in row exclusive mode');
  await owner.query(`set lock_timeout = '200ms'`);
  await assert.rejects(owner.query(`create index concurrently ${index} on video_jobs (user_id)`), /lock timeout/);
  await blocker.query('commit');
  const isValid = `select indisvalid from pg_index where indexrelid = '${index}'::regclass`;
  assert.deepEqual((await owner.query(isValid)).rows, [{ indisvalid: false }]);
  await migrate({ url, log: silentLog });
  assert.deepEqual((await owner.query(isValid)).rows, [{ indisvalid: true }]);
});

test('a database that a newer version has migrated is refused by name, and stays as it is', async () => {
  await using database = await createTestDatabase();
  const { url } = database;
  await using owner = await connectTo(url);
  await owner.query(`insert into schema_history (name, hash) values ('migrations/9999_later.sql', 'x')`);
  await owner.query(`update schema_history set hash = 'of tomorrow' where name like 'procedures/%'`);
  await assert.rejects(
    migrate({ url, log: silentLog }),
    /newer than this version of Rendio: migrations\/9999_later\.sql/,
  );
  const { rows } = await owner.query(`select distinct hash from schema_history where name like 'procedures/%'`);
  assert.deepEqual(rows, [{ hash: 'of tomorrow' }]);
});

test('procedures of a newer version stay when an older server starts', async () => {
  await using database = await createTestDatabase();
  const { url } = database;
  await using owner = await connectTo(url);
  const { rows: before } = await owner.query(`select prosrc from pg_proc where proname = 'prune_logs'`);
  await owner.query(`update schema_history set hash = 'of tomorrow' where name = 'procedures/previous_version.sql'`);
  await owner.query(`update schema_history set hash = '99990101000001' where name = 'behaviour'`);
  await owner.query(
    `create or replace function prune_logs(p_limit integer default 1000) returns jsonb language sql as $$ select '{}'::jsonb $$`,
  );
  assert.deepEqual(await migrate({ url, log: silentLog }), { migrations: [], procedures: [], queue: false });
  const { rows: after } = await owner.query(`select prosrc from pg_proc where proname = 'prune_logs'`);
  assert.notDeepEqual(after, before);
});
