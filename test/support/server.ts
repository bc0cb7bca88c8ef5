import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

const ENTRY = fileURLToPath(new URL('../../src/entry/node.ts', import.meta.url));
/** Making a cluster and migrating it takes two seconds; the rest is for a machine that is very busy. */
const START_MS = 60_000;
const STOP_MS = 30_000;

export type TestServer = {
  /** Where it answers, such as `http://localhost:41234`. */
  url: string;
  pid: number;
  /** To start another on the same data: pass it as `DATA_DIR`, and the URL's port as `PORT`. */
  dataDir: string;
  /** Sends the signal and resolves when the process is gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Stops it with SIGTERM and removes the data folder that it made; repeatable. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** Starts the real server as a process of its own, on a free port with a data folder of its own unless `env` says else. */
export async function startTestServer({ env = {} }: { env?: Record<string, string> } = {}): Promise<TestServer> {
  const folder = env.DATA_DIR ? null : await mkdtemp(join(tmpdir(), 'rendio-server-'));
  const dataDir = env.DATA_DIR ?? folder ?? '';
  const child = spawn(process.execPath, [ENTRY], {
    // Away from the checkout, whose `.env` is a developer's.
    cwd: tmpdir(),
    env: { PATH: process.env.PATH, NO_COLOR: '1', PORT: '0', LOG_LEVEL: 'warn', ...env, DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const orphan = () => child.kill('SIGKILL');
  process.once('exit', orphan);
  const kill = async (signal: NodeJS.Signals) => {
    if (isGone(child)) return;
    child.kill(signal);
    await once(child, 'exit');
  };
  const stop = async () => {
    const hardLimit = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await kill('SIGTERM');
    clearTimeout(hardLimit);
    process.off('exit', orphan);
    if (folder) await removeFolder(folder);
  };
  try {
    const url = await readUrl(child);
    return { url, pid: child.pid ?? 0, dataDir, kill, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The URL of the banner. What the server says besides is read and dropped, but for the error of a failed start. */
async function readUrl(child: ChildProcess): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  if (!child.stdout || !child.stderr) throw new Error('a server without pipes');
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text) > 100 && said.shift());
  createInterface({ input: child.stdout }).on('line', (line) => {
    said.push(`${line}\n`);
    const url = /^\s*(https?:\S+)\s*$/.exec(stripVTControlCharacters(line))?.[1];
    if (url) resolve(url);
  });
  const fail = (why: string) => reject(new Error(`The server ${why}:\n${said.join('')}`));
  child.once('exit', (code, signal) => fail(`ended with ${code ?? signal} at its start`));
  const limit = setTimeout(() => fail(`was not ready within ${START_MS} ms`), START_MS);
  return promise.finally(() => clearTimeout(limit));
}

function isGone(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** The database of a server that was killed needs a moment to shut down. */
async function removeFolder(folder: string): Promise<void> {
  const end = performance.now() + STOP_MS;
  while (existsSync(join(folder, 'postgres', 'postmaster.pid')) && performance.now() < end) await delay(20);
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
