import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../src/embedded-postgres/start.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { isAlive } from '../../src/platform/process-ids.ts';

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

/** Linux keeps this folder in memory: a database is copied there at a third of the cost, and dropped at a fifth. */
const MEMORY_FOLDER = '/dev/shm';
/** A whole run uses at most a third of it. */
const MEMORY_BYTES_MIN = 3_000_000_000;

let teardown: (() => Promise<void>) | undefined;

/**
 * Makes the one folder for everything temporary of a test run, `TMPDIR` (what it was before is `RENDIO_TEST_DISK`), and finds
 * or starts its one PostgreSQL, which the test files find by `RENDIO_TEST_POSTGRES_URL`: `TEST_DATABASE_URL` if set, else one of `TEST_POSTGRES_BIN`'s or of npm's
 * binaries in that folder.
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

/** Before what was set up earlier is taken down. */
export function onTeardown(step: () => Promise<void>): void {
  const rest = teardown;
  teardown = async () => {
    await step();
    await rest?.();
  };
}

/** Removes everything that the run made; repeatable. */
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
  const isInMemory = await isRoomInMemory();
  for (const parent of isInMemory ? [ordinary, MEMORY_FOLDER] : [ordinary]) await removeAbandoned(parent);
  const folder = await mkdtemp(join(isInMemory ? MEMORY_FOLDER : ordinary, `${FOLDER}${process.pid}-`));
  // Some tests have an ordinary user go through it.
  await chmod(folder, 0o711);
  return folder;
}

/** Room enough, in which programs may lie as well: some containers have only a little, or forbid them there. */
async function isRoomInMemory(): Promise<boolean> {
  try {
    const { bavail, bsize } = await statfs(MEMORY_FOLDER);
    const [, options] = /^\S+ \/dev\/shm tmpfs (\S+)/m.exec(await readFile('/proc/mounts', 'utf8')) ?? [];
    return options !== undefined && !options.split(',').includes('noexec') && bavail * bsize >= MEMORY_BYTES_MIN;
  } catch {
    return false;
  }
}

/** A run that was killed could not remove its folder. */
async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = name.startsWith(FOLDER) ? Number.parseInt(name.slice(FOLDER.length), 10) : 0;
    // Another run may be removing it at the same time, and another user's is theirs to remove.
    if (pid > 0 && !isAlive(pid)) await rm(join(parent, name), { recursive: true, force: true }).catch(() => {});
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
