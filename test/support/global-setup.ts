import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../src/embedded-postgres/start.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { isAlive } from '../../src/platform/process-ids.ts';
import { startTestServer } from './server.ts';

/** Many test files at once, each with its pools; nothing of it has to survive, or to be tidied while it lasts. */
const SETTINGS = {
  max_connections: '300',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  autovacuum: 'off',
  jit: 'off',
};

const FOLDER = 'rendio-test-';

let teardown: (() => Promise<void>) | undefined;

/**
 * Finds or starts the one PostgreSQL of a test run and tells the test files of it by `RENDIO_TEST_POSTGRES_URL`:
 * `TEST_DATABASE_URL` if set, else one of `TEST_POSTGRES_BIN`'s or of npm's binaries in a temporary folder.
 */
export async function globalSetup(): Promise<void> {
  const run = randomBytes(4).toString('hex');
  process.env.RENDIO_TEST_RUN = run;
  const given = process.env.TEST_DATABASE_URL;
  process.env.RENDIO_TEST_POSTGRES_URL = given || (await startTemporary());
  if (given) teardown = () => dropDatabasesOf(given, run);
}

/**
 * One server for all files that speak to a server by its URL alone and wish for nothing special: `RENDIO_TEST_SERVER_URL`.
 * On an empty database of its own, as a newcomer's.
 */
export async function startSharedServer(): Promise<void> {
  const postgres = process.env.RENDIO_TEST_POSTGRES_URL ?? '';
  const name = `rendio_test_${process.env.RENDIO_TEST_RUN}_shared`;
  await query(postgres, `create database ${name}`);
  const url = new URL(postgres);
  url.pathname = `/${name}`;
  const server = await startTestServer({ env: { DATABASE_URL: url.href } });
  process.env.RENDIO_TEST_SERVER_URL = server.url;
  const before = teardown;
  teardown = async () => {
    // Nobody waits for what its last tests have left under way.
    await server.kill('SIGKILL');
    await server.stop();
    await before?.();
  };
}

/** Removes everything that the run made; repeatable. */
export async function globalTeardown(): Promise<void> {
  const last = teardown;
  teardown = undefined;
  await last?.();
}

async function startTemporary(): Promise<string> {
  await removeAbandoned();
  const dataDir = await mkdtemp(join(tmpdir(), `${FOLDER}${process.pid}-`));
  const remove = () => rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  const binDir = process.env.TEST_POSTGRES_BIN;
  try {
    const options = { dataDir, log: silentLog, settings: SETTINGS, ...(binDir ? { binDir } : {}) };
    const postgres = await startEmbeddedPostgres(options);
    teardown = async () => {
      await postgres.stop();
      await remove();
    };
    return postgres.url;
  } catch (error) {
    await remove();
    throw error;
  }
}

/** A run that was killed could not remove its folder. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = name.startsWith(FOLDER) ? Number.parseInt(name.slice(FOLDER.length), 10) : 0;
    // Another run may be removing it at the same time, and another user's is theirs to remove.
    if (pid > 0 && !isAlive(pid)) await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => {});
  }
}

/** A server that stays must not keep the databases of test files that were interrupted. */
async function dropDatabasesOf(url: string, run: string): Promise<void> {
  const text = 'select datname from pg_database where starts_with(datname, $1)';
  const { rows } = await query<{ datname: string }>(url, text, [`rendio_test_${run}_`]);
  for (const { datname } of rows) await query(url, `drop database if exists ${datname} with (force)`);
}

async function query<Row extends pg.QueryResultRow>(url: string, text: string, values: unknown[] = []) {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await client.query<Row>(text, values);
  } finally {
    await client.end();
  }
}
