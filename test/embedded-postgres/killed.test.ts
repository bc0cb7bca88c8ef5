import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import pg from 'pg';
import {
  dataFolder,
  failsWith,
  isGone,
  isLinux,
  KEPT,
  keptIn,
  kill,
  onCleanup,
  query,
  runServer,
  start,
  startServer,
  until,
  usedFolder,
  withoutTools,
} from './servers.ts';

test('after kill -9 of the server, the next start has the data at once', async (t) => {
  const folder = await usedFolder(t);
  const killed = await runServer(t, folder);
  await kill(killed.child);
  const began = performance.now();
  const next = await start(t, folder);
  assert.ok(performance.now() - began < 15_000);
  assert.deepEqual(await keptIn(next.url), KEPT);
});

test('after kill -9 of the server and of PostgreSQL during a long query, the next start does not wait for the query', async (t) => {
  const folder = await usedFolder(t);
  const killed = await runServer(t, folder, { env: { BUSY: 'yes' } });
  const busy = `select pid from pg_stat_activity where state = 'active' and query like '%as busy'`;
  await until(async () => (await query(killed.url, busy)).length > 0);
  process.kill(killed.pid, 'SIGKILL');
  await kill(killed.child);
  assert.deepEqual(await keptIn((await start(t, folder)).url), KEPT);
});

test('after kill -9 of the server and of PostgreSQL, the next start repairs and keeps the data', async (t) => {
  const folder = await usedFolder(t);
  const killed = await runServer(t, folder);
  process.kill(killed.pid, 'SIGKILL');
  await kill(killed.child);
  assert.ok(existsSync(join(folder, 'postgres', 'postmaster.pid')), 'a stale pid file is left');
  const next = await start(t, folder);
  assert.deepEqual(await keptIn(next.url), KEPT);
});

test('a PostgreSQL whose server was killed is stopped by the next start', { skip: !isLinux }, async (t) => {
  const folder = await usedFolder(t);
  const tools = await withoutTools(t, 'setpriv');
  const killed = await runServer(t, folder, { path: tools });
  onCleanup(t, () => isGone(killed.pid) || process.kill(killed.pid, 'SIGKILL'));
  await kill(killed.child);
  assert.deepEqual(await keptIn(killed.url), KEPT, 'it runs without its server');
  const next = await start(t, folder);
  assert.ok(isGone(killed.pid));
  assert.deepEqual(await keptIn(next.url), KEPT);
});

test('a second server on the folder waits, then fails with one sentence, and does not disturb the first', async (t) => {
  const folder = await usedFolder(t);
  const first = await start(t, folder);
  const began = performance.now();
  const sentence = /^Another server is running on the data folder .*rendio-pg-[^:]*: /;
  await assert.rejects(start(t, folder, { waitForLockMs: 400 }), failsWith(sentence));
  assert.ok(performance.now() - began >= 400);
  assert.deepEqual(await query(first.url, 'select 1 as one'), [{ one: 1 }]);
});

test('a second server that waits takes over when the first stops', async (t) => {
  const folder = await usedFolder(t);
  const first = await start(t, folder);
  const second = start(t, folder, { waitForLockMs: 15_000 });
  // The second server has checked the lock once it has had a session.
  await until(async () => {
    const sql = `select sum(sessions)::int > 1 as seen from pg_stat_database where datname = 'postgres'`;
    return (await query(first.url, sql))[0]?.seen === true;
  });
  await first.stop();
  assert.deepEqual(await query((await second).url, 'select note from kept'), KEPT);
});

test('of two first starts on one empty folder exactly one succeeds', async (t) => {
  const folder = await dataFolder(t);
  const both = await Promise.all([
    startServer(t, folder, { waitForLockMs: 500 }),
    startServer(t, folder, { waitForLockMs: 500 }),
  ]);
  const urls = both.map(({ report }) => report.url).filter((url) => url !== undefined);
  const failures = both.map(({ report }) => report.failure).filter((failure) => failure !== undefined);
  assert.equal(urls.length, 1, failures.join('\n'));
  assert.match(failures[0] ?? '', /^StartupError: Another server is running on the data folder/);
  assert.deepEqual(await query(urls[0] ?? '', 'select 1 as one'), [{ one: 1 }]);
});

test('a server that has lost the session with its lock is not taken for a stopped one, and gets the lock back', async (t) => {
  const folder = await usedFolder(t);
  const first = await start(t, folder);
  const holder = `select l.pid from pg_locks l join pg_database d on d.oid = l.database
                   where locktype = 'advisory' and granted and datname = 'postgres'`;
  const [before] = await query(first.url, holder);
  await query(first.url, `select pg_terminate_backend(${before?.pid})`);
  await assert.rejects(start(t, folder, { waitForLockMs: 0 }), failsWith(/^Another server is running/));
  const [after] = await query(first.url, holder);
  assert.notEqual(after?.pid, before?.pid);
});

test('the server keeps its database and its lock after a crash from which PostgreSQL recovers by itself', async (t) => {
  const folder = await usedFolder(t);
  const first = await start(t, folder);
  const crashing = new pg.Client(first.url);
  crashing.on('error', () => {});
  await crashing.connect();
  const { rows } = await crashing.query<{ pid: number }>('select pg_backend_pid() as pid');
  const holder = `select pid from pg_locks where locktype = 'advisory'`;
  const [before] = await query(first.url, holder);
  process.kill(rows[0]?.pid ?? 0, 'SIGKILL');
  await until(async () => {
    const [held] = await query(first.url, holder).catch(() => []);
    return held !== undefined && held.pid !== before?.pid;
  });
  assert.deepEqual(await keptIn(first.url), KEPT);
  await assert.rejects(start(t, folder, { waitForLockMs: 0 }), failsWith(/^Another server is running/));
});

test('a stale pid that now belongs to another program neither blocks the start nor ends that program', async (t) => {
  const folder = await usedFolder(t);
  const killed = await start(t, folder);
  process.kill(killed.pid, 'SIGKILL');
  await killed.exited;
  const other = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  onCleanup(t, () => kill(other));
  const pidFile = join(folder, 'postgres', 'postmaster.pid');
  const [, ...rest] = readFileSync(pidFile, 'utf8').split('\n');
  writeFileSync(pidFile, [other.pid, ...rest].join('\n'));

  const next = await start(t, folder);
  assert.deepEqual(await keptIn(next.url), KEPT);
  assert.equal(other.exitCode ?? other.signalCode, null);
});
