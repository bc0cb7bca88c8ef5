/** A database with accounts, models and generations, driven through the stored procedures alone. */
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import type pg from 'pg';
import { type ArgumentsOf, createDatabase, type Database } from '../../src/db/database.ts';
import { createPool } from '../../src/db/pool.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { createTestDatabase, ownerPool, type TestDatabase } from './postgres.ts';
import { addCredits, callAsOwner, checkResults } from './procedures.ts';

type BeginArguments = ArgumentsOf<'begin_generation'>;

/** What `begin_generation` returned, with the fields of every outcome. */
export type Begun = {
  outcome: string;
  response?: { job_id: string; credits_used: number };
  status_code?: number;
  scope?: string;
  required?: number;
  available?: number;
  remaining?: number;
};

export type MoneyWorld = AsyncDisposable & {
  url: string;
  /** Connects as the owner of the tables: to read them, and to remove guards. */
  owner: pg.Pool;
  /** Has the rights of the server: reads and procedures. */
  db: Database;
  user(credits?: number): Promise<string>;
  balance(userId: string): Promise<number>;
  modelId: string;
  begin(userId: string, change?: Partial<BeginArguments>): Promise<Begun>;
  /** Any procedure, as the tables' owner. */
  call(procedure: string, args: Record<string, unknown>): Promise<unknown>;
  /** Begins and returns the job's id. */
  job(userId: string): Promise<string>;
  /** Begins an attempt of a pending job and marks it as submitted. */
  submit(jobId: string, providerJobId?: string): Promise<void>;
  finish(jobId: string): Promise<boolean>;
  fail(jobId: string): Promise<boolean>;
  assertInvariants(): Promise<void>;
};

export const SHA = 'a'.repeat(64);

/** A hash in the format of begin_generation's request_hash. */
export const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

export async function createMoneyWorld(on?: TestDatabase): Promise<MoneyWorld> {
  const database = on ?? (await createTestDatabase());
  const owner = ownerPool(database.url, 5);
  const pool = createPool({ url: database.url, log: silentLog, connectionsMax: 20 });
  const db = checkResults(createDatabase(pool));
  const model = await db.read.selectFrom('models').select('id').where('name', '=', 'Sandbox').executeTakeFirstOrThrow();

  const world: MoneyWorld = {
    url: database.url,
    owner,
    db,
    modelId: model.id,
    async user(credits = 0) {
      const made = await db.call('onboard_device', { device_id: `device-${randomUUID()}` });
      if (credits > 0) await addCredits(owner, made.user_id, credits);
      return made.user_id;
    },
    async balance(userId) {
      const { rows } = await owner.query('select credits_remaining from users where id = $1', [userId]);
      return rows[0].credits_remaining;
    },
    begin: async (userId, change = {}) => {
      const begun = await db.call('begin_generation', { ...beginArguments(userId, model.id), ...change });
      return begun as Begun;
    },
    call: (procedure, args) => callAsOwner(owner, procedure, args),
    async job(userId) {
      const begun = await world.begin(userId);
      assert.equal(begun.outcome, 'created');
      assert.ok(begun.response);
      return begun.response.job_id;
    },
    async submit(jobId, providerJobId = `provider-${jobId}`) {
      const attempt = await db.call('begin_attempt', { job_id: jobId });
      await db.call('mark_submitted', {
        job_id: jobId,
        attempt_id: 'attempt_id' in attempt ? attempt.attempt_id : randomUUID(),
        provider_job_id: providerJobId,
      });
    },
    finish: (jobId) =>
      db.call('finish_generation', {
        job_id: jobId,
        video_path: `x/2026-01/${jobId}.mp4`,
        thumbnail_path: `x/2026-01/${jobId}.jpg`,
        video_bytes: 1000,
        video_sha256: SHA,
        video_seconds: 5,
      }),
    fail: (jobId) => db.call('fail_generation', { job_id: jobId, error_code: 'ERR_5003', cause: 'test' }),
    async assertInvariants() {
      const { rows } = await owner.query('select * from broken_invariants()');
      assert.deepEqual(rows, []);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([pool.end(), owner.end()]);
      await database[Symbol.asyncDispose]();
    },
  };
  return world;
}

function beginArguments(userId: string, modelId: string): BeginArguments {
  return {
    user_id: userId,
    idempotency_key: randomUUID(),
    request_hash: SHA,
    model_id: modelId,
    prompt: 'a cat playing piano',
    settings: { duration: 5 },
    limit_account: 1000,
    limit_address: 1000,
    limit_in_flight: 1000,
    deadline_seconds: 1800,
  };
}
