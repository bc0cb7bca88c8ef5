import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../src/entry/embedded-postgres.ts';
import { silentLog } from '../../src/kernel/log.ts';

/** Many test files at once, each with its pools; nothing of it has to survive. */
const SETTINGS = {
  max_connections: '300',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  autovacuum_naptime: '10s',
};

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

/** Removes everything that the run made; repeatable. */
export async function globalTeardown(): Promise<void> {
  const last = teardown;
  teardown = undefined;
  await last?.();
}

async function startTemporary(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'rendio-test-'));
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

/** A server that stays must not keep the databases of test files that were interrupted. */
async function dropDatabasesOf(url: string, run: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const text = 'select datname from pg_database where starts_with(datname, $1)';
    const { rows } = await client.query<{ datname: string }>(text, [`rendio_test_${run}_`]);
    for (const { datname } of rows) await client.query(`drop database if exists ${datname} with (force)`);
  } finally {
    await client.end();
  }
}
