/**
 * Migrates a database to the state that this code needs: the queue's own migrations; then, in one transaction, numbered
 * migrations once, procedures and grants whenever their text changes, and the seed. Running it again changes nothing; two
 * servers that start at the same time wait for each other.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';
import type { Log } from '../kernel/log.ts';
import { StartupError } from '../kernel/startup-error.ts';

/** Any constant will do, if all servers use the same one. */
const MIGRATION_LOCK = 7_361_940_001;
/** PostgreSQL 15 is the oldest version that the SQL is written for and tested on. */
const SERVER_VERSION_MIN = 150_000;

const SQL_DIR = new URL('../../db/', import.meta.url);

type SqlFile = { name: string; sql: string; hash: string };
export type MigrationReport = { migrations: string[]; procedures: string[]; queue: boolean };

async function readSql(path: string): Promise<SqlFile> {
  const sql = await readFile(new URL(path, SQL_DIR), 'utf8');
  return { name: path, sql, hash: createHash('sha256').update(sql).digest('hex') };
}

/** The SQL files of the folder and its subfolders, sorted by name. */
async function readFolder(folder: string): Promise<SqlFile[]> {
  const names = (await readdir(new URL(`${folder}/`, SQL_DIR), { recursive: true }))
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.sql'))
    .sort();
  return Promise.all(names.map((name) => readSql(`${folder}/${name}`)));
}

/** Runs `work` in one transaction of the client. */
async function inTransaction<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    const done = await work();
    await client.query('commit');
    return done;
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
}

async function record(client: pg.Client, file: SqlFile): Promise<void> {
  await client.query(
    `insert into public.schema_history (name, hash) values ($1, $2)
     on conflict (name) do update set hash = excluded.hash, applied_at = now()`,
    [file.name, file.hash],
  );
}

async function appliedHashes(client: pg.Client): Promise<Map<string, string>> {
  await client.query(`
    create table if not exists public.schema_history (
      name text primary key,
      hash text not null,
      applied_at timestamptz not null default now()
    )`);
  const { rows } = await client.query<{ name: string; hash: string }>('select name, hash from public.schema_history');
  return new Map(rows.map((row) => [row.name, row.hash]));
}

async function applyMigrations(client: pg.Client, applied: Map<string, string>): Promise<string[]> {
  const done: string[] = [];
  for (const file of await readFolder('migrations')) {
    const before = applied.get(file.name);
    if (before === file.hash) continue;
    if (before !== undefined) {
      throw new StartupError(
        `The migration ${file.name} has changed since it was applied to this database. Restore it and write a new one.`,
      );
    }
    await client.query(file.sql);
    await record(client, file);
    done.push(file.name);
  }
  return done;
}

async function applyProcedures(client: pg.Client, applied: Map<string, string>, force: boolean): Promise<string[]> {
  const files = [
    ...(await readFolder('procedures')),
    await readSql('grants-queue.sql'),
    await readSql('grants-hosted.sql'),
    await readSql('grants.sql'),
    ...(await readFolder('seed')),
  ];
  const changed = files.filter((file) => applied.get(file.name) !== file.hash);
  if (changed.length === 0 && !force) return [];
  // Procedures call one another, and some are created before the procedures that they call.
  await client.query('set local check_function_bodies = off');
  for (const file of files) {
    const isGrant = file.name.startsWith('grants');
    if (!isGrant && !changed.includes(file)) continue;
    await client.query(file.sql);
    await record(client, file);
  }
  return changed.map((file) => file.name);
}

/** Runs the queue's migrations, which take their own lock. Returns true if they changed anything. */
async function applyQueueMigrations(client: pg.Client, url: string): Promise<boolean> {
  const revision = async (): Promise<number> => {
    const { rows } = await client.query<{ has_table: boolean }>(
      `select to_regclass('graphile_worker.migrations') is not null as has_table`,
    );
    if (!rows[0]?.has_table) return 0;
    const { rows: revisions } = await client.query<{ id: number }>(
      'select coalesce(max(id), 0) as id from graphile_worker.migrations',
    );
    return revisions[0]?.id ?? 0;
  };
  const before = await revision();
  const { Logger, runMigrations } = await import('graphile-worker');
  await usingPool(url, (pgPool) => runMigrations({ pgPool, logger: new Logger(() => () => {}) }));
  return (await revision()) !== before;
}

/**
 * Provides a pool and waits until its sessions have ended. The library's own pool would outlive the call, and its last
 * session has no error listener then: a lost connection would end the process.
 */
async function usingPool(url: string, work: (pool: pg.Pool) => Promise<void>): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, application_name: 'rendio-migrate' });
  const ends: Promise<void>[] = [];
  pool.on('error', () => {});
  pool.on('connect', (client) => {
    client.on('error', () => {});
    ends.push(new Promise((resolve) => client.once('end', resolve)));
  });
  try {
    await work(pool);
  } finally {
    await pool.end();
    await Promise.all(ends);
  }
}

async function requireVersion(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ number: string; name: string }>(
    `select current_setting('server_version_num') as number, current_setting('server_version') as name`,
  );
  if (Number(rows[0]?.number) < SERVER_VERSION_MIN) {
    throw new StartupError(`PostgreSQL 15 or newer is needed; the database is ${rows[0]?.name}.`);
  }
}

/** The name of the newest migration in this code. */
export async function latestMigration(): Promise<string> {
  return (await readFolder('migrations')).at(-1)?.name ?? '';
}

/** Migrates the database at `url`, as the owner that the URL names. */
export async function migrate(options: { url: string; log: Log }): Promise<MigrationReport> {
  const client = new pg.Client({ connectionString: options.url, application_name: 'rendio-migrate' });
  // A lost connection also rejects the running query; without this listener it would end the process.
  client.on('error', () => {});
  await client.connect();
  try {
    await requireVersion(client);
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const applied = await appliedHashes(client);
    const queue = await applyQueueMigrations(client, options.url);
    // One transaction: no server ever sees new tables with old procedures, or half of either.
    const { migrations, procedures } = await inTransaction(client, async () => {
      const done = await applyMigrations(client, applied);
      return { migrations: done, procedures: await applyProcedures(client, applied, done.length > 0 || queue) };
    });
    const report = { migrations, procedures, queue };
    if (migrations.length + procedures.length > 0 || queue) {
      options.log.info({ migrations, procedures: procedures.length, queue }, 'database migrated');
    }
    return report;
  } finally {
    await client.end().catch(() => {});
  }
}
