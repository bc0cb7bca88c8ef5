import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { createServer } from 'node:net';
import { sleep } from '../kernel/sleep.ts';
import { StartupError } from '../kernel/startup-error.ts';
import { chooseAccount } from './account.ts';
import type { Binaries } from './binaries.ts';
import { OWNER_SETTING } from './cluster-state.ts';
import { readPidFile } from './pid-file.ts';
import { cleanEnvironment } from './run.ts';

/** How PostgreSQL ended. */
export type Exit = { code: number | null; signal: NodeJS.Signals | null };

/** A PostgreSQL that this process has started and that accepts connections. */
export type Launched = { port: number; pid: number; exited: Promise<Exit> };

/** The parameters of a launch: absolute real paths, extra settings, and a stale pid to ignore. */
export type LaunchPlan = {
  cluster: string;
  logFile: string;
  binaries: Binaries;
  settings: Record<string, string>;
  ignorePid: number | undefined;
};

/** Only starts, stops and crashes are logged: this is enough for years. */
const LOG_BYTES_MAX = 10_000_000;

/** Starts PostgreSQL and waits until it is ready, also through crash recovery. If it exits instead, returns its output. */
export async function launch(plan: LaunchPlan): Promise<Launched | { lastOutput: string }> {
  const port = await freePort();
  const logFile = await open(plan.logFile, 'a', 0o600);
  try {
    if ((await logFile.stat()).size > LOG_BYTES_MAX) await logFile.truncate();
    const { size } = await logFile.stat();
    const child = await spawnPostgres(plan, port, logFile.fd);
    const exited = exitOf(child);
    const pid = child.pid;
    if (pid === undefined) throw new StartupError(`PostgreSQL at ${plan.binaries.postgres} cannot be executed.`);
    const ready = await waitUntilReady(plan.cluster, pid, exited);
    if (ready) return { port: ready.port, pid, exited };
    return { lastOutput: await readLastOutput(plan.logFile, size, pid) };
  } finally {
    await logFile.close();
  }
}

async function spawnPostgres(plan: LaunchPlan, port: number, output: number): Promise<ChildProcess> {
  const account = await chooseAccount(plan.binaries.postgres, plan.cluster);
  const args = [...account.prefix, plan.binaries.postgres, '-D', plan.cluster];
  for (const [name, value] of Object.entries({ ...fixedSettings(port), ...plan.settings })) {
    args.push('-c', `${name}=${value}`);
  }
  const [program = '', ...rest] = args;
  // PostgreSQL does not start if the pid in the pid file is running, except if this variable gives it as its grandparent.
  const env = cleanEnvironment();
  if (plan.ignorePid !== undefined) env.PG_GRANDPARENT_PID = String(plan.ignorePid);
  const stdio = ['ignore' as const, output, output];
  // Detached, so that Ctrl-C in the terminal reaches only the server, which needs its database until it has shut down.
  return spawn(program, rest, { cwd: plan.cluster, env, stdio, detached: true, windowsHide: true, ...account.user });
}

function fixedSettings(port: number): Record<string, string> {
  return {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    [OWNER_SETTING]: String(process.pid),
    // A query whose client died must neither delay the shutdown nor keep its locks.
    client_connection_check_interval: '250',
    timezone: 'UTC',
    // Errors go to the client, which decides what may be logged: messages, details and statements contain values.
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_checkpoints: 'off',
    log_timezone: 'UTC',
    log_line_prefix: '%m [%p] ',
    lc_messages: 'C',
  };
}

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('error', () => resolve({ code: null, signal: null }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
}

/** Waits until the pid file says that this PostgreSQL is ready, and on which port. Undefined if it exits first. */
async function waitUntilReady(
  cluster: string,
  pid: number,
  exited: Promise<Exit>,
): Promise<{ port: number } | undefined> {
  let hasExited = false;
  void exited.then(() => {
    hasExited = true;
  });
  while (!hasExited) {
    const file = await readPidFile(cluster);
    if (file?.pid === pid && file.status === 'ready' && file.port) return { port: file.port };
    await sleep(5);
  }
  return undefined;
}

/** What this PostgreSQL wrote to the log file; other processes may write to it at the same time. */
async function readLastOutput(path: string, from: number, pid: number): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const { buffer } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    const lines = buffer.toString('utf8').trim().split('\n');
    return lines.filter((line) => !/ \[\d+\] /.test(line) || line.includes(` [${pid}] `)).join('\n');
  } finally {
    await file.close();
  }
}

/** A port that was free a moment ago. If another process takes it before PostgreSQL does, the launch fails and is retried. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
