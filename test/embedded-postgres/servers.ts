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

/** A server of which only the database matters: prints where it is, or why it is not, and stops on SIGTERM. */
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

type Said = { url: string; pid: number; failure?: undefined } | { failure: string; url?: undefined; pid?: undefined };
type Server = { child: ChildProcess; said: Said };
type ServerOptions = { waitForLockMs?: number; path?: string; uid?: number; env?: Record<string, string> };

/** Runs a server and waits for what it says. */
export async function startServer(t: TestContext, dataDir: string, options: ServerOptions = {}): Promise<Server> {
  const { waitForLockMs = 5_000, path = process.env.PATH ?? '', uid, env = {} } = options;
  const words = ['--input-type=module', '--eval', SERVER, dataDir, String(waitForLockMs)];
  const become = uid === undefined ? {} : { uid, gid: uid };
  const child = spawn(process.execPath, words, {
    cwd: tmpdir(),
    env: { PATH: path, ...compileCache(), ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    ...become,
  });
  undoing(t, () => kill(child));
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return { child, said: JSON.parse(line) };
}

/** Runs a server that must come up. */
export async function runServer(t: TestContext, dataDir: string, options?: ServerOptions) {
  const { child, said } = await startServer(t, dataDir, options);
  assert.equal(said.failure, undefined);
  assert.ok(said.url);
  return { child, url: said.url, pid: said.pid };
}

/** Undoes in reverse order what the test did: the runner's own hooks run forwards. */
export function undoing(t: TestContext, undo: () => unknown): void {
  let stack = undos.get(t);
  if (!stack) {
    stack = [];
    undos.set(t, stack);
    t.after(async () => {
      for (const step of undos.get(t)?.reverse() ?? []) await step();
    });
  }
  stack.push(undo);
}

const undos = new WeakMap<TestContext, (() => unknown)[]>();

/** Kills with -9, if it still lives. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** A private, empty folder. */
export async function dataFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rendio-pg-'));
  undoing(t, async () => {
    // A PostgreSQL whose server was killed may be writing its last still.
    await until(() => livingPid(folder) === undefined);
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
  undoing(t, () => postgres.stop());
  return postgres;
}

/** The rows of one statement, on a connection of its own. */
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

/** Polls until it is so. */
export async function until(condition: () => boolean | Promise<boolean>, limitMs = 15_000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await condition())) {
    assert.ok(performance.now() < end, `not within ${limitMs} ms: ${condition}`);
    await delay(20);
  }
}

/** The pid of the PostgreSQL that still runs on the folder. */
function livingPid(folder: string): number | undefined {
  const file = join(folder, 'postgres', 'postmaster.pid');
  const pid = existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : 0;
  return pid > 0 && !isGone(pid) ? pid : undefined;
}

/** Whether nobody, or only a zombie, has this pid. */
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

/** Leaves something that the next start must find. */
export const KEEP = 'create table kept (note text); insert into kept values (42)';

let keeping: Promise<string> | undefined;
after(async () => {
  if (keeping) await rm(await keeping, { recursive: true, force: true });
});

/** A data folder that a server left in good order, with `kept` in it: a copy, because making one takes longer. */
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

/** What `kept` holds. */
export function keptIn(url: string): Promise<Record<string, unknown>[]> {
  return query(url, 'select note from kept');
}

export const KEPT = [{ note: '42' }];

/** A PATH with all of its tools but these; `unshare` is there and says what a kernel that forbids it says. */
export async function withoutTools(t: TestContext, ...names: string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rendio-tools-'));
  undoing(t, () => rm(folder, { recursive: true }));
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
