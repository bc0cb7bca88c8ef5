import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { findBinaries, makeLinks } from '../../src/embedded-postgres/binaries.ts';
import {
  dataFolder,
  failsWith,
  isLinux,
  KEEP,
  KEPT,
  keptIn,
  onCleanup,
  query,
  runServer,
  start,
  until,
  usedFolder,
} from './servers.ts';

test('an empty folder becomes a private, durable database that keeps its data between starts', async (t) => {
  const folder = await dataFolder(t);
  const first = await start(t, folder);
  await query(first.url, KEEP);
  const [facts] = await query(
    first.url,
    `select current_database() as database, current_setting('listen_addresses') as addresses,
            current_setting('unix_socket_directories') as sockets, current_setting('fsync') as fsync,
            current_setting('server_encoding') as encoding, current_setting('client_connection_check_interval') as checked,
            (select rolsuper from pg_roles where rolname = current_user) as owner`,
  );
  assert.deepEqual(facts, {
    database: 'rendio',
    addresses: '127.0.0.1',
    sockets: '',
    fsync: 'on',
    encoding: 'UTF8',
    checked: '250ms',
    owner: true,
  });
  await assert.rejects(query(first.url.replace(/:[^:@]+@/, ':guess@'), 'select 1'), { code: '28P01' });
  if (process.platform !== 'win32') {
    assert.equal((await stat(join(folder, 'postgres', 'rendio.password'))).mode & 0o777, 0o600);
  }
  await Promise.all([first.stop(), first.stop()]);
  assert.deepEqual(await first.exited, { code: 0, signal: null });

  const second = await start(t, folder);
  assert.deepEqual(await keptIn(second.url), KEPT);
  assert.deepEqual(
    (await readdir(folder)).sort(),
    ['postgres', 'postgres.log'],
    'no temporary files of the cluster are left',
  );
});

test('the server learns when its PostgreSQL ends, and may start another', async (t) => {
  const folder = await usedFolder(t);
  const postgres = await start(t, folder);
  process.kill(postgres.pid, 'SIGKILL');
  assert.deepEqual(await postgres.exited, { code: null, signal: 'SIGKILL' });
  await postgres.stop();
  assert.deepEqual(await keptIn((await start(t, folder)).url), KEPT);
});

test('a crash while the cluster is made does not block the next start', async (t) => {
  const folder = await dataFolder(t);
  const { pid: dead } = spawnSync(process.execPath, ['--version']);
  await mkdir(join(folder, `postgres.new-${dead}-0a0a0a0a`, 'cluster', 'base'), { recursive: true });
  const postgres = await start(t, folder);
  assert.deepEqual(await query(postgres.url, 'select 1 as one'), [{ one: 1 }]);
  assert.deepEqual((await readdir(folder)).sort(), ['postgres', 'postgres.log']);
});

test('a port that is taken at the last moment does not fail the start', async (t) => {
  const folder = await usedFolder(t);
  const taken = createServer().listen(0, '127.0.0.1');
  onCleanup(t, () => taken.close());
  await once(taken, 'listening');
  const address = taken.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const starting = start(t, folder, { settings: { port: String(port) } });
  const log = join(folder, 'postgres.log');
  await until(() => existsSync(log) && readFileSync(log, 'utf8').includes('could not create any TCP/IP sockets'));
  await new Promise((resolve) => taken.close(resolve));
  assert.equal(new URL((await starting).url).port, String(port));
});

test('a failed query leaves no values in the log', async (t) => {
  const folder = await usedFolder(t);
  const { url } = await start(t, folder);
  await query(url, 'create table secrets (prompt text primary key)');
  await query(url, `insert into secrets values ('a cat at the piano')`);
  await assert.rejects(query(url, `insert into secrets values ('a cat at the piano')`), { code: '23505' });
  await assert.rejects(query(url, `select 'a cat at the piano'::uuid`), { code: '22P02' });
  assert.doesNotMatch(await readFile(join(folder, 'postgres.log'), 'utf8'), /piano|secrets/);
});

test('PostgreSQL does not inherit the environment', { skip: !isLinux }, async (t) => {
  const folder = await usedFolder(t);
  const env = { SECRET_KEY: 'hush', PGPORT: '1', PGDATA: '/nowhere', PGSSLMODE: 'require', LC_ALL: 'tr_TR.UTF-8' };
  const { pid, url } = await runServer(t, folder, { env });
  const names = readFileSync(`/proc/${pid}/environ`, 'utf8')
    .split('\0')
    .map((pair) => pair.split('=')[0]);
  assert.deepEqual(
    names.filter((name) => name === 'SECRET_KEY' || name === 'PGDATA'),
    [],
  );
  assert.deepEqual(await query(url, `select lower('I') as i`), [{ i: 'i' }]);
});

test('data of another major version is refused, and both versions are named', async (t) => {
  const folder = await usedFolder(t);
  await (await start(t, folder)).stop();
  await writeFile(join(folder, 'postgres', 'PG_VERSION'), '14\n');
  const sentence = /^The data in .*rendio-pg-.* was made by PostgreSQL 14, and this is \d+: /;
  await assert.rejects(start(t, folder), failsWith(sentence));
});

test('the error names a folder that cannot be written', async (t) => {
  const folder = await dataFolder(t);
  await writeFile(join(folder, 'file'), '');
  await assert.rejects(
    start(t, join(folder, 'file', 'data')),
    failsWith(/^The data folder .*file\/data cannot be written/),
  );
});

test('a folder with other files is refused and not changed', async (t) => {
  const folder = await dataFolder(t);
  await mkdir(join(folder, 'postgres'));
  await writeFile(join(folder, 'postgres', 'diary.txt'), 'mine');
  await assert.rejects(start(t, folder), failsWith(/^The folder .*postgres is in the way/));
  assert.deepEqual(await readdir(folder), ['postgres']);
});

test('the error names the PostgreSQL package that is missing', async () => {
  const machine = { platform: 'sunos', arch: 'sparc' };
  await assert.rejects(
    findBinaries(undefined, machine),
    failsWith(/^The package @embedded-postgres\/sunos-sparc .*missing/),
  );
  await assert.rejects(findBinaries('/nowhere'), failsWith(/^There is no PostgreSQL in \/nowhere: /));
});

test('the links of the libraries are made if no install script has made them', async (t) => {
  const root = await dataFolder(t);
  await mkdir(join(root, 'native', 'lib'), { recursive: true });
  await writeFile(join(root, 'native', 'lib', 'libpq.so.5.18'), 'library');
  const links = [{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }];
  await writeFile(join(root, 'native', 'pg-symlinks.json'), JSON.stringify(links));
  await Promise.all([makeLinks(root), makeLinks(root)]);
  assert.equal(await readFile(join(root, 'native', 'lib', 'libpq.so.5'), 'utf8'), 'library');

  const lost = [{ source: 'native/lib/libpq.so.5.18', target: 'native/elsewhere/libpq.so.5' }];
  await writeFile(join(root, 'native', 'pg-symlinks.json'), JSON.stringify(lost));
  await assert.rejects(makeLinks(root), failsWith(/^The link .*libpq.so.5 is missing and cannot be made/));
});
