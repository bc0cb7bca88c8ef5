/** Test databases on a running PostgreSQL: copies of a migrated template. */
import { createHash, randomBytes } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { silentLog } from '../../src/kernel/log.ts';

/** A database for one test; `url` connects as its owner. Disposing drops it even if sessions are still open. */
export type TestDatabase = { url: string; [Symbol.asyncDispose](): Promise<void> };

let template: Promise<string> | undefined;

/** Makes a new database as a copy of the migrated template, in about 20 ms. */
export async function copyTemplate(server: string): Promise<TestDatabase> {
  template ??= makeTemplate(server);
  const source = await template;
  // The other strategy writes every page to the write-ahead log as well, which takes three times the CPU time.
  return create(server, `template ${source} strategy file_copy`);
}

/** Makes an empty database. */
export function createEmpty(server: string): Promise<TestDatabase> {
  return create(server, 'template template0');
}

async function create(server: string, from: string): Promise<TestDatabase> {
  const name = `rendio_test_${process.env.RENDIO_TEST_RUN}_${randomBytes(6).toString('hex')}`;
  await administer(server, `create database ${name} ${from}`);
  return {
    url: withDatabase(server, name),
    [Symbol.asyncDispose]: () => administer(server, `drop database if exists ${name} with (force)`),
  };
}

/** Makes the template for the current SQL if it is missing, and drops outdated ones; one process at a time. */
function makeTemplate(server: string): Promise<string> {
  const name = `rendio_template_${hashOfSchema()}`;
  return asAdmin(server, async (admin) => {
    await admin.query(`select pg_advisory_lock(hashtext('rendio_template'))`);
    const { rows } = await admin.query<{ datname: string }>(
      `select datname from pg_database where starts_with(datname, 'rendio_template_')`,
    );
    if (rows.some(({ datname }) => datname === name)) return name;
    for (const { datname } of rows) {
      await admin.query(`alter database ${datname} is_template false`);
      await admin.query(`drop database ${datname} with (force)`);
    }
    // It has another name until it is complete: an unfinished template must not be used.
    const draft = 'rendio_template_draft';
    await admin.query(`create database ${draft}`);
    const { migrate } = await import('../../src/db/migrate.ts');
    await migrate({ url: withDatabase(server, draft), log: silentLog });
    await untilAlone(admin, draft);
    await admin.query(`alter database ${draft} rename to ${name}`);
    await admin.query(`alter database ${name} with is_template true allow_connections false`);
    return name;
  });
}

/** Waits until ended sessions are gone: a database with sessions can be neither renamed nor copied. */
async function untilAlone(admin: pg.Client, database: string): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const { rowCount } = await admin.query('select from pg_stat_activity where datname = $1', [database]);
    if (rowCount === 0) return;
    await delay(10);
  }
  throw new Error('The migration left sessions open');
}

/** A hash of all that makes the migrated schema: the SQL, the code that applies it, and the queue library's version. */
function hashOfSchema(): string {
  const root = join(import.meta.dirname, '..', '..');
  const hash = createHash('sha256');
  for (const name of globSync(['db/**/*.sql', 'src/db/**/*.ts', 'package-lock.json'], { cwd: root }).sort()) {
    hash
      .update(name)
      .update('\0')
      .update(readFileSync(join(root, name)))
      .update('\0');
  }
  return hash.digest('hex').slice(0, 16);
}

let administrators: pg.Pool | undefined;

/** Runs a statement on a pooled connection. An open connection does not keep the process alive. */
async function administer(server: string, sql: string): Promise<void> {
  administrators ??= new pg.Pool({ connectionString: server, max: 2, allowExitOnIdle: true }).on('error', () => {});
  await administrators.query(sql);
}

async function asAdmin<T>(server: string, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client(server);
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

function withDatabase(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
