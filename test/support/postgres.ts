import { createHash, randomBytes } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { silentLog } from '../../src/kernel/log.ts';
import { globalSetup, globalTeardown } from './global-setup.ts';

/** A migrated database of one's own; `url` is its owner's. Disposing drops it, whoever is still connected. */
export type TestDatabase = { url: string; [Symbol.asyncDispose](): Promise<void> };

/** Makes a fresh database as a copy of the migrated template, in some 20 ms. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = await serverUrl();
  template ??= makeTemplate(server);
  const source = await template;
  const name = `rendio_test_${process.env.RENDIO_TEST_RUN}_${randomBytes(6).toString('hex')}`;
  // By the log: the other way, by files, begins and ends with a checkpoint, which costs four times as much.
  await asAdmin(server, async (admin) => {
    await admin.query(`create database ${name} template ${source} strategy wal_log`);
  });
  return {
    url: withDatabase(server, name),
    [Symbol.asyncDispose]: () =>
      asAdmin(server, async (admin) => void (await admin.query(`drop database if exists ${name} with (force)`))),
  };
}

/** The tables' owner, for looking and for turning the database's clock. Sessions that a test ends are no failure of it. */
export function ownerPool(url: string, max = 2): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max });
  pool.on('error', () => {});
  return pool;
}

let template: Promise<string> | undefined;
let starting: Promise<void> | undefined;

// A file that is run by itself has a PostgreSQL of its own.
after(async () => {
  await starting;
  await Promise.all(users.map((end) => end()));
  await globalTeardown();
});

const users: (() => Promise<void>)[] = [];

/** For what uses a database until the end of its file: the hooks of that file run after this one's. May be called twice. */
export function beforeTeardown(end: () => Promise<void>): void {
  users.push(end);
}

async function serverUrl(): Promise<string> {
  if (!process.env.RENDIO_TEST_POSTGRES_URL) starting ??= globalSetup();
  await starting;
  return process.env.RENDIO_TEST_POSTGRES_URL ?? '';
}

/** Makes the template of today's SQL where it is missing, and drops yesterday's; one process at a time. */
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
    // Under another name until it is whole: half a template must not be taken for one.
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

/** Ended sessions take a moment to be gone; a database with sessions can be neither renamed nor copied. */
async function untilAlone(admin: pg.Client, database: string): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const { rowCount } = await admin.query('select from pg_stat_activity where datname = $1', [database]);
    if (rowCount === 0) return;
    await delay(10);
  }
  throw new Error('The migration left sessions open');
}

/** All that the migrated schema is made from: the SQL, the code that applies it, and the queue's own version. */
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

/** A database with nothing in it. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  const server = await serverUrl();
  const name = `rendio_test_${process.env.RENDIO_TEST_RUN}_${randomBytes(6).toString('hex')}`;
  await asAdmin(server, async (admin) => void (await admin.query(`create database ${name}`)));
  return {
    url: withDatabase(server, name),
    [Symbol.asyncDispose]: () =>
      asAdmin(server, async (admin) => void (await admin.query(`drop database if exists ${name} with (force)`))),
  };
}
