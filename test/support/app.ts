/** The whole application on its own database, with a scripted vendor. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { access, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { readConfig } from '../../src/app/config.ts';
import { createContext } from '../../src/app/context.ts';
import { createHttp } from '../../src/app/http.ts';
import { storedSettingsOf } from '../../src/app/stored-settings.ts';
import { allTasks } from '../../src/app/tasks.ts';
import { realConnections } from '../../src/app/vendor-connections.ts';
import { storeSettings } from '../../src/db/settings.ts';
import { loadDevelopmentSecrets } from '../../src/entry/development-secrets.ts';
import { openSession } from '../../src/features/accounts/session.ts';
import type { Context } from '../../src/features/context.ts';
import { type Log, silentLog } from '../../src/kernel/log.ts';
import { createImageCheckHere } from '../../src/media/image-check.ts';
import type { MediaProbe } from '../../src/media/probe.ts';
import type { ProviderManifest } from '../../src/providers/manifest.ts';
import { createTestDatabase, ownerPool } from './postgres.ts';
import { addCredits, checkResults } from './procedures.ts';
import { createVendor, type Vendor, type VendorOptions } from './providers.ts';

export type TestAppOptions = {
  vendor?: Omit<VendorOptions, 'folder'>;
  overrides?: Partial<Context>;
  env?: Record<string, string>;
  /** Providers created from the environment, in place of the scripted vendor. */
  manifests?: readonly ProviderManifest[];
  /** The base URL at which vendors on this machine reach the application. */
  localUrl?: string;
  log?: Log;
};

export type TestJob = {
  status: string;
  error_code: string | null;
  error_reason: string | null;
  progress: number | null;
  provider_job_id: string | null;
  video_url: string | null;
  thumbnail_url: string | null;
};

/** A task in the queue. `dueMs`: milliseconds until it may run. */
export type TestTask = { id: string; task: string; dueMs: number; attempts: number; isLocked: boolean };

export type TestApp = AsyncDisposable & {
  ctx: Context;
  vendor: Vendor;
  url: string;
  dataDir: string;
  /** Connects as the owner of the tables: to read them, and to change timestamps. */
  owner: pg.Pool;
  /** Calls the API within this process, without a network port. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  user(credits?: number): Promise<string>;
  /** An access token of the account. */
  tokenOf(userId: string): Promise<string>;
  balance(userId: string): Promise<number>;
  /** Starts a paid generation and returns the job's id; its task waits in the queue. */
  generate(userId: string, request?: { model?: string; settings?: object }): Promise<string>;
  job(jobId: string): Promise<TestJob>;
  attempts(jobId: string): Promise<{ attempt: number; state: string; provider_job_id: string | null }[]>;
  tasksOf(jobId: string): Promise<TestTask[]>;
  /** Runs due tasks one after another until none is due; returns the errors of those that failed. */
  drain(worker?: { ctx?: Context; signal?: AbortSignal }): Promise<unknown[]>;
  /** Makes every task due now and unlocks it, as after the death of its worker. */
  makeAllDue(): Promise<void>;
  expire(jobId: string): Promise<void>;
  /** The paths of all stored files, in order. */
  stored(): Promise<string[]>;
  /** Asserts that no invariant is broken and that exactly the completed jobs have stored files, two each. */
  assertSound(): Promise<void>;
};

/** Accepts every file as a playable video. */
export const fakeProbe: MediaProbe = {
  async probe(path, { thumbnailPath }) {
    await access(path);
    await writeFile(thumbnailPath, 'a picture');
    return { container: 'mp4', codec: 'avc', width: 1280, height: 720, durationSeconds: 5, fps: 24 };
  },
  async close() {},
};

export async function createTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const database = await createTestDatabase();
  const dataDir = await mkdtemp(join(tmpdir(), 'rendio-app-'));
  const vendor = createVendor({ ...options.vendor, folder: join(dataDir, 'vendor') });
  const owner = ownerPool(database.url, 4);
  const stopping = new AbortController();
  const running = await startContext(options, { url: database.url, dataDir, vendor, signal: stopping.signal });
  const { ctx } = running;
  checkResults(ctx.db);
  const api = createHttp(ctx, {
    publicUrl: undefined,
    trustedProxyHops: Number(options.env?.TRUSTED_PROXY_HOPS ?? 0),
    corsOrigins: '*',
    anonKey: undefined,
    ipOf: () => '203.0.113.1',
    isWorking: () => true,
  });
  const stored = async (): Promise<string[]> => {
    const names = await readdir(join(dataDir, 'media'), { recursive: true }).catch(() => []);
    return names.filter((name) => /\.\w+$/.test(name)).sort();
  };

  return {
    ctx,
    vendor,
    url: database.url,
    dataDir,
    owner,
    fetch: async (path, init) => api.fetch(new Request(new URL(path, 'http://rendio.test'), init)),
    ...accountsOf(ctx, owner),
    ...jobsOf(ctx, owner),
    ...queueOf(ctx, owner),
    stored,
    async assertSound() {
      assert.deepEqual((await owner.query('select * from broken_invariants()')).rows, []);
      const { rows } = await owner.query<{ path: string }>(
        `select unnest(array['videos/' || video_url, 'thumbnails/' || thumbnail_url]) as path
         from video_jobs where status = 'completed' and deleted_at is null order by 1`,
      );
      assert.deepEqual(
        await stored(),
        rows.map(({ path }) => path),
      );
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await Promise.all([running.close(), owner.end()]);
      await database[Symbol.asyncDispose]();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

type AppResources = { url: string; dataDir: string; vendor: Vendor; signal: AbortSignal };

async function startContext(options: TestAppOptions, { url, dataDir, vendor, signal }: AppResources) {
  const { manifests, localUrl = null } = options;
  const env = { ...options.env, DATA_DIR: dataDir, DATABASE_URL: url };
  const config = await readConfig(env, manifests ? { manifests } : {});
  const secrets = await loadDevelopmentSecrets(dataDir);
  await storeSettings(url, storedSettingsOf(config), { isStart: true });
  return createContext({
    config,
    database: { url, directUrl: url },
    secrets: { jwtPrivateKey: secrets.jwtPrivateKey, secretKey: secrets.secretKey.reveal() },
    connections: realConnections(config, manifests ?? []),
    localUrl: () => localUrl,
    log: options.log ?? silentLog,
    stopping: signal,
    overrides: {
      ...(manifests ? {} : { providers: new Map([['sandbox', vendor.provider]]) }),
      probe: fakeProbe,
      // The same checks as in a child process, which takes longer to start than they take.
      imageCheck: createImageCheckHere(),
      ...options.overrides,
    },
  });
}

async function one<Row extends pg.QueryResultRow>(owner: pg.Pool, sql: string, values: unknown[]): Promise<Row> {
  const { rows } = await owner.query<Row>(sql, values);
  assert.ok(rows[0], sql);
  return rows[0];
}

function accountsOf(ctx: Context, owner: pg.Pool): Pick<TestApp, 'user' | 'tokenOf' | 'balance'> {
  return {
    async user(credits = 10) {
      const made = await ctx.db.call('onboard_device', { device_id: `device-${randomUUID()}` });
      if (credits > 0) await addCredits(owner, made.user_id, credits);
      return made.user_id;
    },
    tokenOf: async (userId) => (await openSession(ctx, userId)).accessToken,
    async balance(userId) {
      return (await one<{ n: number }>(owner, 'select credits_remaining as n from users where id = $1', [userId])).n;
    },
  };
}

function jobsOf(ctx: Context, owner: pg.Pool): Pick<TestApp, 'generate' | 'job' | 'attempts' | 'expire'> {
  return {
    async generate(userId, { model: name = 'Sandbox', settings = { duration: 5 } } = {}) {
      const model = await one<{ id: string }>(owner, 'select id from models where name = $1', [name]);
      const begun = await ctx.db.call('begin_generation', {
        user_id: userId,
        idempotency_key: randomUUID(),
        request_hash: 'a'.repeat(64),
        model_id: model.id,
        prompt: 'a cat playing piano',
        settings,
        limit_account: 1000,
        limit_address: 1000,
        limit_in_flight: 1000,
        deadline_seconds: 1800,
      });
      assert.ok(begun.outcome === 'created', begun.outcome);
      return Object(begun.response).job_id;
    },
    job: (jobId) =>
      one<TestJob>(
        owner,
        `select status, error_code, error_reason, progress, provider_job_id, video_url, thumbnail_url
         from video_jobs where job_id = $1`,
        [jobId],
      ),
    async attempts(jobId) {
      const sql = 'select attempt, state, provider_job_id from provider_attempts where job_id = $1 order by attempt';
      return (await owner.query(sql, [jobId])).rows;
    },
    async expire(jobId) {
      const sql = `update video_jobs set deadline_at = now() - interval '1 second' where job_id = $1`;
      await owner.query(sql, [jobId]);
    },
  };
}

function queueOf(ctx: Context, owner: pg.Pool): Pick<TestApp, 'tasksOf' | 'drain' | 'makeAllDue'> {
  return {
    async tasksOf(jobId) {
      const { rows } = await owner.query<TestTask>(
        `select j.id, t.identifier as task, j.attempts, j.locked_at is not null as "isLocked",
           (extract(epoch from j.run_at - clock_timestamp()) * 1000)::float as "dueMs"
         from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id
         where j.payload ->> 'job_id' = $1 and j.attempts < j.max_attempts
         order by j.id`,
        [jobId],
      );
      return rows;
    },
    drain: (worker = {}) => drain(owner, worker.ctx ?? ctx, worker.signal ?? new AbortController().signal),
    async makeAllDue() {
      await owner.query('update graphile_worker._private_jobs set locked_at = null, locked_by = null, run_at = now()');
    },
  };
}

/** Runs tasks as graphile-worker does, without delays: a task is locked while it runs, and kept only if it fails. */
async function drain(owner: pg.Pool, ctx: Context, signal: AbortSignal): Promise<unknown[]> {
  const tasks = allTasks(ctx);
  const failures: unknown[] = [];
  for (;;) {
    const { rows } = await owner.query<{ id: string; task: string; payload: unknown; attempts: number }>(
      `update graphile_worker._private_jobs j
       set locked_at = now(), locked_by = 'test', attempts = attempts + 1
       from graphile_worker._private_tasks t
       where t.id = j.task_id and j.id = (
         select id from graphile_worker._private_jobs
         where locked_at is null and attempts < max_attempts and run_at <= now() + interval '100 milliseconds'
         order by run_at, id limit 1
       )
       returning j.id, t.identifier as task, j.payload, j.attempts`,
    );
    const found = rows[0];
    if (!found) return failures;
    const handle = tasks[found.task];
    assert.ok(handle, found.task);
    try {
      await handle(found.payload, { signal, attempt: found.attempts });
      await owner.query('delete from graphile_worker._private_jobs where id = $1', [found.id]);
    } catch (error) {
      failures.push(error);
      const sql = `update graphile_worker._private_jobs set locked_at = null, locked_by = null, run_at = now() + interval '1 hour'
                   where id = $1`;
      await owner.query(sql, [found.id]);
    }
  }
}
