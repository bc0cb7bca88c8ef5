/**
 * Migrates a database to the state that this code needs: the queue's own migrations; then, in one transaction, numbered
 * migrations once, procedures and grants whenever their text changes, and the seed; then indexes, without a lock on their
 * tables. Running it again changes nothing; two servers that start at the same time wait for each other.
 */
import type pg from 'pg';
import { errorCodeOf } from '../kernel/error-code.ts';
import type { Log } from '../kernel/log.ts';
import { sleep } from '../kernel/sleep.ts';
import { StartupError } from '../kernel/startup-error.ts';
import { BEHAVIOUR_VERSION } from './latest-migration.ts';
import { LOCK_NOT_AVAILABLE, lockTables } from './lock-tables.ts';
import { migrateQueue } from './migrate-queue.ts';
import { DatabaseClient, ownerSession } from './session.ts';
import { readBehaviour, readFolder, readSql, type SqlFile } from './sql-files.ts';
import { watchSession } from './watch-session.ts';

/** Any constant will do, if all servers use the same one. */
const MIGRATION_LOCK = 7_361_940_001;
/** PostgreSQL 15 is the oldest version that the SQL is written for and tested on. */
const SERVER_VERSION_MIN = 150_000;
/**
 * How long a migration waits for a table that another session uses, such as a dump. Every other statement on that table waits
 * behind the migration for as long, so it gives up soon and tries again.
 */
export const LOCK_TIMEOUT_MS = 2_000;
const LOCK_RETRY_MS = 1_000;
/** Between two tries for the lock of the server that migrates. */
const LOCK_POLL_MS = 100;
/** A nightly dump of a large database takes this long. */
const LOCK_TRIES_MAX = 600;
/** The row of the history that holds the version of the procedures. */
const BEHAVIOUR = 'behaviour';

export type MigrationReport = { migrations: string[]; procedures: string[]; queue: boolean };

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

/** Repeats `work` while another session holds a lock that it needs. */
async function withLockRetries<T>(log: Log, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (errorCodeOf(error) !== LOCK_NOT_AVAILABLE || tries === LOCK_TRIES_MAX) throw error;
      if (tries === 1) log.warn({}, 'migration waits: another session holds a lock on a table');
      await sleep(LOCK_RETRY_MS);
    }
  }
}

async function record(client: pg.Client, { name, hash }: Pick<SqlFile, 'name' | 'hash'>): Promise<void> {
  await client.query(
    `insert into public.schema_history (name, hash) values ($1, $2)
     on conflict (name) do update set hash = excluded.hash, applied_at = now()`,
    [name, hash],
  );
}

async function appliedHashes(client: pg.Client): Promise<Map<string, string>> {
  await client.query(`
    create table if not exists public.schema_history (
      name text primary key,
      hash text not null,
      applied_at timestamptz not null default now()
    )`);
  return readHashes(client);
}

/** What the history says, which exists. */
export async function readHashes(client: pg.Client): Promise<Map<string, string>> {
  const { rows } = await client.query<{ name: string; hash: string }>('select name, hash from public.schema_history');
  return new Map(rows.map((row) => [row.name, row.hash]));
}

/** Older code would put its own procedures back beside newer tables. */
export async function requireKnownMigrations(applied: Map<string, string>): Promise<void> {
  const known = new Set((await readFolder('migrations')).map(({ name }) => name));
  const newer = [...applied.keys()].find((name) => name.startsWith('migrations/') && !known.has(name));
  if (newer === undefined) return;
  throw new StartupError(
    `The database is newer than this version of Rendio: ${newer} is not part of it. Start the newer version, or restore the database from before it.`,
  );
}

/** The migrations that a database lacks. Throws for one that has changed since it was applied. */
export async function pendingMigrations(applied: Map<string, string>): Promise<SqlFile[]> {
  const pending = (await readFolder('migrations')).filter(({ name, hash }) => applied.get(name) !== hash);
  const changed = pending.find(({ name }) => applied.has(name));
  if (changed === undefined) return pending;
  throw new StartupError(
    `The migration ${changed.name} has changed since it was applied to this database. Restore it and write a new one.`,
  );
}

async function applyMigrations(client: pg.Client, applied: Map<string, string>): Promise<string[]> {
  const pending = await pendingMigrations(applied);
  for (const file of pending) {
    await client.query(file.sql);
    await record(client, file);
  }
  return pending.map(({ name }) => name);
}

async function applyBehaviour(client: pg.Client, applied: Map<string, string>, isForced: boolean): Promise<string[]> {
  const files = await readBehaviour();
  const changed = files.filter((file) => applied.get(file.name) !== file.hash);
  if (changed.length === 0 && !isForced) return [];
  // Procedures call one another, in any order.
  await client.query('set local check_function_bodies = off');
  for (const file of files) {
    const isGrant = file.name.startsWith('grants');
    if (!isGrant && !changed.includes(file)) continue;
    await client.query(file.sql);
    await record(client, file);
  }
  await record(client, { name: BEHAVIOUR, hash: String(BEHAVIOUR_VERSION) });
  return changed.map((file) => file.name);
}

/**
 * Whether what roles may do is missing: after a restore into a cluster without the roles, or without privileges. `grants.sql`
 * and the policies then run again although their text is the same.
 */
async function areGrantsMissing(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ are_missing: boolean }>(`
    select not has_table_privilege('rendio_server', 'public.users', 'select')
      or not exists (
        select from pg_catalog.pg_policies where schemaname = 'public' and tablename = 'users' and policyname = 'server_reads'
      )
      or not has_schema_privilege('rendio_server', 'graphile_worker', 'usage')
      or not pg_has_role('rendio_server', 'member') as are_missing`);
  return rows[0]?.are_missing ?? false;
}

async function isChanged(applied: Map<string, string>): Promise<boolean> {
  const files = [...(await readFolder('migrations')), ...(await readBehaviour())];
  return files.some((file) => applied.get(file.name) !== file.hash);
}

async function applyAll(client: pg.Client, log: Log, applied: Map<string, string>, queue: boolean) {
  await client.query(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
  await client.query((await readSql('roles.sql')).sql);
  if (await isChanged(applied)) await lockTables(client);
  const migrations = await applyMigrations(client, applied);
  if (migrations.length === 0 && Number(applied.get(BEHAVIOUR) ?? 0) > BEHAVIOUR_VERSION) {
    log.warn({}, 'the database has procedures of a newer version, which stay');
    return { migrations, procedures: [] };
  }
  const isForced = migrations.length > 0 || queue || (await areGrantsMissing(client));
  return { migrations, procedures: await applyBehaviour(client, applied, isForced) };
}

/**
 * Builds the indexes that are missing, one statement at a time and outside a transaction: tables stay writable meanwhile. An
 * index that an earlier try left half-built is dropped first.
 */
async function applyIndexes(client: pg.Client, applied: Map<string, string>): Promise<void> {
  for (const file of await readFolder('indexes')) {
    if (applied.get(file.name) === file.hash) continue;
    for (const statement of file.sql.split(/;\s*$/m)) {
      const name = /\bindex concurrently if not exists (\w+)/.exec(statement)?.[1];
      if (name === undefined) continue;
      const { rows } = await client.query(
        `select from pg_catalog.pg_index where indexrelid = to_regclass('public.' || $1) and not indisvalid`,
        [name],
      );
      if (rows.length > 0) await client.query(`drop index concurrently public.${name}`);
      await client.query(statement);
    }
    await record(client, file);
  }
}

/**
 * Waits for the server that migrates now. By asking again, not in one statement: building an index concurrently waits for the
 * statements of all other sessions, so the two would wait for each other.
 */
async function takeMigrationLock(client: pg.Client): Promise<void> {
  const tryLock = () =>
    client.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [MIGRATION_LOCK]);
  while (!(await tryLock()).rows[0]?.locked) await sleep(LOCK_POLL_MS);
}

export async function requireVersion(client: pg.Client): Promise<void> {
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
export async function migrate({ url, log }: { url: string; log: Log }): Promise<MigrationReport> {
  // Without a time limit: to build an index of a large table takes long.
  const client = new DatabaseClient(ownerSession(url, 'rendio-migrate', null));
  await client.connect();
  const watch = watchSession(client, url);
  try {
    await requireVersion(client);
    await takeMigrationLock(client);
    const applied = await appliedHashes(client);
    await requireKnownMigrations(applied);
    const queue = await withLockRetries(log, () => migrateQueue(client, url, LOCK_TIMEOUT_MS));
    // One transaction: no server ever sees new tables with old procedures, or half of either.
    const { migrations, procedures } = await withLockRetries(log, () =>
      inTransaction(client, () => applyAll(client, log, applied, queue)),
    );
    await applyIndexes(client, applied);
    if (migrations.length + procedures.length > 0 || queue) {
      log.info({ migrations, procedures: procedures.length, queue }, 'database migrated');
    }
    return { migrations, procedures, queue };
  } finally {
    await watch.stop();
    await client.end().catch(() => {});
  }
}
