import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../src/embedded-postgres/start.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { isAlive } from '../../src/platform/process-ids.ts';

/** Many test files run at once, each with its own pools. The data need not survive a crash or be vacuumed. */
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

/** Linux keeps this folder in memory: copying a database there costs a third, dropping it a fifth. */
const MEMORY_FOLDER = '/dev/shm';
/** A whole test run uses at most a third of this. */
const MEMORY_BYTES_MIN = 3_000_000_000;

let teardown: (() => Promise<void>) | undefined;

/**
 * Makes the folder for all temporary files of a test run and sets `TMPDIR` to it (`RENDIO_TEST_DISK` keeps its earlier
 * value). Sets `RENDIO_TEST_POSTGRES_URL` to the run's PostgreSQL: `TEST_DATABASE_URL` if set, else a new one in that
 * folder, from the binaries in `TEST_POSTGRES_BIN` or from npm.
 */
export async function globalSetup(): Promise<void> {
  const run = randomBytes(4).toString('hex');
  process.env.RENDIO_TEST_RUN = run;
  process.env.RENDIO_TEST_DISK = tmpdir();
  const folder = await makeFolder();
  process.env.TMPDIR = folder;
  teardown = () => rm(folder, { recursive: true, force: true, maxRetries: 5 });
  const given = process.env.TEST_DATABASE_URL;
  if (given) onTeardown(() => dropDatabasesOf(given, run));
  process.env.RENDIO_TEST_POSTGRES_URL = given || (await startTemporary(folder));
}

/** Runs the step at teardown, before the steps that were added earlier. */
export function onTeardown(step: () => Promise<void>): void {
  const rest = teardown;
  teardown = async () => {
    await step();
    await rest?.();
  };
}

/** Removes everything that the run made; may be called twice. */
export async function globalTeardown(): Promise<void> {
  const last = teardown;
  teardown = undefined;
  await last?.();
}

async function startTemporary(dataDir: string): Promise<string> {
  const binDir = process.env.TEST_POSTGRES_BIN;
  const options = { dataDir, log: silentLog, settings: SETTINGS, ...(binDir ? { binDir } : {}) };
  const postgres = await startEmbeddedPostgres(options);
  onTeardown(() => postgres.stop());
  return postgres.url;
}

async function makeFolder(): Promise<string> {
  const ordinary = tmpdir();
  const isInMemory = await isMemoryUsable();
  for (const parent of isInMemory ? [ordinary, MEMORY_FOLDER] : [ordinary]) await removeAbandoned(parent);
  const folder = await mkdtemp(join(isInMemory ? MEMORY_FOLDER : ordinary, `${FOLDER}${process.pid}-`));
  // Some tests enter it as a user without root rights.
  await chmod(folder, 0o711);
  return folder;
}

/** Whether the memory folder has the space and may hold programs: some containers limit its size or mount it noexec. */
async function isMemoryUsable(): Promise<boolean> {
  try {
    const { bavail, bsize } = await statfs(MEMORY_FOLDER);
    const [, options] = /^\S+ \/dev\/shm tmpfs (\S+)/m.exec(await readFile('/proc/mounts', 'utf8')) ?? [];
    return options !== undefined && !options.split(',').includes('noexec') && bavail * bsize >= MEMORY_BYTES_MIN;
  } catch {
    return false;
  }
}

/** Removes the folders of killed test runs, which could not do it themselves. */
async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = name.startsWith(FOLDER) ? Number.parseInt(name.slice(FOLDER.length), 10) : 0;
    // Another run may be removing it at the same time; another user's folder cannot be removed.
    if (pid > 0 && !isAlive(pid)) await rm(join(parent, name), { recursive: true, force: true }).catch(() => {});
  }
}

/** Drops the databases of interrupted test files from a server that outlives the test run. */
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
