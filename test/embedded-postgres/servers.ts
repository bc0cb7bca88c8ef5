import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded-postgres/start.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { StartupError } from '../../src/kernel/startup-error.ts';
import { compileCache } from '../../src/platform/compile-cache.ts';

export const isLinux = process.platform === 'linux';

/** A server that only runs the database: prints its URL and pid, or why it failed, and stops on SIGTERM. */
const SERVER = `
  import { startEmbeddedPostgres } from ${JSON.stringify(new URL('../../src/embedded-postgres/start.ts', import.meta.url))};
  import pg from ${JSON.stringify(import.meta.resolve('pg'))};
  import { silentLog } from ${JSON.stringify(new URL('../../src/kernel/log.ts', import.meta.url))};
  const [dataDir, waitForLockMs] = process.argv.slice(1);
  try {
    const postgres = await startEmbeddedPostgres({ dataDir, log: silentLog, waitForLockMs: Number(waitForLockMs) });
    process.on('SIGTERM', () => postgres.stop().then(() => process.exit(0)));
    console.log(JSON.stringify({ url: postgres.url, pid: postgres.pid }));
    if (process.env.BUSY) {
      const client = new pg.Client(postgres.url);
      client.on('error', () => {});
      await client.connect();
      await client.query('select sum(n) from (select generate_series(1, 1e12::bigint) as n) as busy').catch(() => {});
    }
  } catch (error) {
    console.log(JSON.stringify({ failure: error.name + ': ' + error.message }));
    process.exit(1);
  }`;

type Report = { url: string; pid: number; failure?: undefined } | { failure: string; url?: undefined; pid?: undefined };
type Server = { child: ChildProcess; report: Report };
type ServerOptions = { waitForLockMs?: number; path?: string; uid?: number; env?: Record<string, string> };

/** Runs a server and waits for its report. */
export async function startServer(t: TestContext, dataDir: string, options: ServerOptions = {}): Promise<Server> {
  const { waitForLockMs = 5_000, path = process.env.PATH ?? '', uid, env = {} } = options;
  const args = ['--input-type=module', '--eval', SERVER, dataDir, String(waitForLockMs)];
  const userIds = uid === undefined ? {} : { uid, gid: uid };
  const child = spawn(process.execPath, args, {
    cwd: tmpdir(),
    env: { PATH: path, ...compileCache(), ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    ...userIds,
  });
  onCleanup(t, () => kill(child));
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return { child, report: JSON.parse(line) };
}

/** Runs a server that must start. */
export async function runServer(t: TestContext, dataDir: string, options?: ServerOptions) {
  const { child, report } = await startServer(t, dataDir, options);
  assert.equal(report.failure, undefined);
  assert.ok(report.url);
  return { child, url: report.url, pid: report.pid };
}

/** Adds a step to clean up after the test. Steps run in reverse order; the hooks of node:test do not. */
export function onCleanup(t: TestContext, step: () => unknown): void {
  let stack = cleanups.get(t);
  if (!stack) {
    stack = [];
    cleanups.set(t, stack);
    t.after(async () => {
      for (const step of cleanups.get(t)?.reverse() ?? []) await step();
    });
  }
  stack.push(step);
}

const cleanups = new WeakMap<TestContext, (() => unknown)[]>();

/** Kills with -9 if it still runs. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** A private, empty folder. */
export async function dataFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rendio-pg-'));
  onCleanup(t, async () => {
    // The PostgreSQL of a killed server may still be writing.
    await until(() => runningPid(folder) === undefined);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  return folder;
}

/** Starts PostgreSQL within this process. */
export async function start(
  t: TestContext,
  dataDir: string,
  options: { waitForLockMs?: number; settings?: Record<string, string> } = {},
): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ dataDir, log: silentLog, ...options });
  onCleanup(t, () => postgres.stop());
  return postgres;
}

/** The rows of one statement, on a new connection. */
export async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url);
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/** Polls until the condition holds. */
export async function until(condition: () => boolean | Promise<boolean>, limitMs = 90_000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await condition())) {
    assert.ok(performance.now() < end, `not within ${limitMs} ms: ${condition}`);
    await delay(20);
  }
}

/** The pid of the PostgreSQL that still runs on the folder. */
function runningPid(folder: string): number | undefined {
  const file = join(folder, 'postgres', 'postmaster.pid');
  const pid = existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : 0;
  return pid > 0 && !isGone(pid) ? pid : undefined;
}

/** Whether no process, or only a zombie, has this pid. */
export function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return isLinux && /^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
}

/** Expects a StartupError of one sentence. */
export function failsWith(sentence: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof StartupError, String(error));
    assert.match(error.message, sentence);
    assert.doesNotMatch(error.message, /\n/);
    return true;
  };
}

/** Makes a row that the next start must find. */
export const KEEP = 'create table kept (note text); insert into kept values (42)';

let keeping: Promise<string> | undefined;
after(async () => {
  if (keeping) await rm(await keeping, { recursive: true, force: true });
});

/** A data folder after a clean stop, with the table `kept` in it: a copy, because making one takes longer. */
export async function usedFolder(t: TestContext): Promise<string> {
  keeping ??= makeKeeping();
  const folder = await dataFolder(t);
  cpSync(await keeping, folder, { recursive: true });
  return folder;
}

async function makeKeeping(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rendio-pg-'));
  const postgres = await startEmbeddedPostgres({ dataDir: folder, log: silentLog });
  await query(postgres.url, KEEP);
  await postgres.stop();
  return folder;
}

/** The rows of `kept`. */
export function keptIn(url: string): Promise<Record<string, unknown>[]> {
  return query(url, 'select note from kept');
}

export const KEPT = [{ note: '42' }];

/** A PATH without these tools; in the place of `unshare` is one that fails as on a kernel that forbids it. */
export async function withoutTools(t: TestContext, ...names: string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rendio-tools-'));
  onCleanup(t, () => rm(folder, { recursive: true }));
  await chmod(folder, 0o755);
  for (const name of ['unshare', 'setpriv']) {
    if (!names.includes(name)) symlinkSync(spawnSync('which', [name]).stdout.toString().trim(), join(folder, name));
    else if (name === 'unshare') {
      writeFileSync(
        join(folder, name),
        '#!/bin/sh\necho "unshare: unshare failed: Operation not permitted" >&2\nexit 1\n',
      );
      chmodSync(join(folder, name), 0o755);
    }
  }
  return folder;
}
