/** The commands of docs/deploy.md for backup and restore, on a database that is written to, restored into a cluster that is new. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { dumpSchema } from '../../scripts/schema-dump.ts';
import { migrate } from '../../src/db/migrate.ts';
import { startEmbeddedPostgres } from '../../src/embedded-postgres/start.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { createMoneyWorld, type MoneyWorld } from '../support/money.ts';
import { EXPECTED_PERMISSIONS, scanPermissions } from '../support/permissions.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const DOCUMENT = join(ROOT, 'docs/deploy.md');

/** The folder of a PostgreSQL with pg_dump, pg_restore and psql, which are not among the embedded binaries. */
function findPostgres(): string | undefined {
  const folders = [process.env.TEST_POSTGRES_BIN ?? '', ...globSync('/usr/lib/postgresql/*/bin').sort().reverse()];
  const programs = ['postgres', 'initdb', 'pg_dump', 'pg_restore', 'psql'];
  return folders.find((folder) => programs.every((program) => existsSync(join(folder, program))));
}

/** The lines of a command in the document, by the program that they begin with. */
function documented(program: string): string {
  const command = new RegExp(`^${program} (?:.*\\\\\\n)*.*$`, 'm').exec(readFileSync(DOCUMENT, 'utf8'))?.[0];
  assert.ok(command, `docs/deploy.md has no command ${program}`);
  return command;
}

/** Users who generate and get refunds, until the signal; each amount is in the ledger and in a balance, or in neither. */
async function keepBusy(world: MoneyWorld, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const user = await world.user(20);
    const jobs = await Promise.all([world.job(user), world.job(user)]);
    await Promise.all(jobs.map((job) => world.submit(job)));
    await Promise.all(jobs.map((job, index) => (index === 0 ? world.finish(job) : world.fail(job))));
  }
}

const bin = findPostgres();
const skip = bin ? false : 'needs pg_dump: apt-get install postgresql, or TEST_POSTGRES_BIN';

test('a dump of a busy database restores into a new cluster with its money, structure, roles, policies and grants', {
  skip,
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'rendio-backup-'));
  const startCluster = (name: string) =>
    startEmbeddedPostgres({ dataDir: join(folder, name), log: silentLog, ...(bin ? { binDir: bin } : {}) });
  const [busy, fresh] = await Promise.all([startCluster('busy'), startCluster('fresh')]);
  await migrate({ url: busy.url, log: silentLog });
  const world = await createMoneyWorld({ url: busy.url, [Symbol.asyncDispose]: () => Promise.resolve() });
  const stopped = new AbortController();
  const restored = new pg.Pool({ connectionString: fresh.url, max: 1 }).on('error', () => {});
  const writers = [keepBusy(world, stopped.signal), keepBusy(world, stopped.signal), keepBusy(world, stopped.signal)];
  t.after(async () => {
    stopped.abort();
    await Promise.allSettled(writers);
    await Promise.all([restored.end(), world[Symbol.asyncDispose]()]);
    await Promise.all([fresh.stop(), busy.stop()]);
    await rm(folder, { recursive: true, force: true });
  });
  const shell = (command: string, url: string) => {
    const env = { PATH: `${bin}:${process.env.PATH}`, DATABASE_URL: url };
    return promisify(execFile)('/bin/sh', ['-euc', command], { cwd: folder, env });
  };
  const before = await countRows(world.owner);
  await shell(documented('pg_dump'), busy.url);
  const after = await countRows(world.owner);
  stopped.abort();
  await Promise.all(writers);
  assert.ok(after.ledger > before.ledger, 'users were charged while the dump was made');

  // The document's path of the package, from this folder.
  await symlink(ROOT, join(folder, 'package'));
  for (const program of ['psql', 'pg_restore']) {
    await shell(documented(program).replace('node_modules/rendio/dist/package/', 'package/'), fresh.url);
  }
  // What a start does first.
  await migrate({ url: fresh.url, log: silentLog });
  const found = await countRows(restored);
  assert.ok(found.ledger >= before.ledger && found.ledger <= after.ledger, JSON.stringify({ before, found, after }));
  const { rows: broken } = await restored.query('select * from public.broken_invariants()');
  assert.deepEqual(broken, []);
  assert.deepEqual(await scanPermissions(restored), EXPECTED_PERMISSIONS);
  const [client, source] = [await restored.connect(), await world.owner.connect()];
  try {
    assert.equal(await dumpSchema(client as unknown as pg.Client), await dumpSchema(source as unknown as pg.Client));
    const server = `set role rendio_server; select count(*)::int as n from public.users; reset role`;
    const [, seen] = (await client.query(server)) as unknown as pg.QueryResult<{ n: number }>[];
    assert.equal(seen?.rows[0]?.n, found.users, 'the server sees all rows');
  } finally {
    client.release();
    source.release();
  }
});

async function countRows(pool: pg.Pool): Promise<{ users: number; ledger: number }> {
  const { rows } = await pool.query<{ users: number; ledger: number }>(
    'select (select count(*)::int from public.users) as users, (select count(*)::int from public.quota_log) as ledger',
  );
  assert.ok(rows[0]);
  return rows[0];
}
