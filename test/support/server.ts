import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { importFlag } from './import-flag.ts';

/** Making a cluster and migrating it takes two seconds; the rest allows for a very busy machine. */
const START_MS = 60_000;
const STOP_MS = 30_000;
const OUTPUT_CHUNKS_MAX = 5_000;

/** The only variables that a server inherits from its test; the compile cache halves the cost of a start. */
const INHERITED = ['PATH', 'TMPDIR', 'NODE_COMPILE_CACHE'];

export type TestProcess = {
  pid: number;
  /** To start another on the same data: pass it as `DATA_DIR`, and the URL's port as `PORT`. */
  dataDir: string;
  /** How it ended: its exit code, or the signal that killed it. */
  exited: Promise<number | NodeJS.Signals>;
  /** Its output so far, at most the last few thousand lines. */
  output(): string;
  /** Sends the signal and resolves when the process is gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Stops it with SIGTERM and removes the data folder that was made for it; may be called twice. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

export type TestServer = TestProcess & {
  /** Its base URL, such as `http://localhost:41234`. */
  url: string;
};

type Options = { env?: Record<string, string> };

/**
 * Starts the real server as a separate process, on a free port and with a new data folder unless `env` sets them.
 * Without `DATABASE_URL` its cluster is a copy of the run's; with `isFirstStart` the server has to make it,
 * and runs exactly as `npm start` does.
 */
export async function startTestServer({
  env = {},
  isFirstStart = false,
}: Options & { isFirstStart?: boolean } = {}): Promise<TestServer> {
  const cluster = isFirstStart || env.DATABASE_URL ? undefined : process.env.RENDIO_TEST_CLUSTER;
  // The banner has the URL on a line of its own.
  const isUrl = (line: string) => /^\s*(https?:\S+)\s*$/.exec(line)?.[1];
  const started = await startEntry('node', env, isUrl, { cluster, flags: isFirstStart ? [] : importFlag() });
  return Object.assign(started.process, { url: started.found });
}

/** Starts the real worker process on the database that `env` names; resolves when it takes jobs. */
export async function startTestWorker({ env = {} }: Options): Promise<TestProcess> {
  const loud = { LOG_LEVEL: 'info', ...env };
  return (await startEntry('worker', loud, (line) => /worker started/.exec(line)?.[0], { flags: importFlag() }))
    .process;
}

async function startEntry(
  entry: 'node' | 'worker',
  env: Record<string, string>,
  find: (line: string) => string | undefined,
  { flags, cluster }: { flags: string[]; cluster?: string | undefined },
): Promise<{ process: TestProcess; found: string }> {
  const folder = env.DATA_DIR ? null : await mkdtemp(join(tmpdir(), 'rendio-server-'));
  const dataDir = env.DATA_DIR ?? folder ?? '';
  if (folder && cluster) await cp(cluster, join(folder, 'postgres'), { recursive: true });
  const program = fileURLToPath(new URL(`../../src/entry/${entry}.ts`, import.meta.url));
  const child = spawn(process.execPath, [...flags, program], {
    // Outside the checkout, where a developer's `.env` may be.
    cwd: tmpdir(),
    env: { ...inherited(), NO_COLOR: '1', PORT: '0', LOG_LEVEL: 'warn', ...env, DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const killChild = () => child.kill('SIGKILL');
  process.once('exit', killChild);
  const chunks: string[] = [];
  const output = () => chunks.join('');
  let mayExit = true;
  const exited = once(child, 'exit').then(([code, signal]): number | NodeJS.Signals => {
    process.off('exit', killChild);
    if (!mayExit && code !== 0)
      failTheFile(`A ${entry} process ended unexpectedly (${code ?? signal}). Its output:\n${output()}`);
    return code ?? signal;
  });
  const kill = async (signal: NodeJS.Signals) => {
    mayExit = true;
    child.kill(signal);
    await exited;
  };
  const stop = async () => {
    const hardLimit = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await kill('SIGTERM');
    clearTimeout(hardLimit);
    if (folder) await removeFolder(folder);
  };
  try {
    const found = await listenFor(child, find, chunks);
    mayExit = false;
    const made = { pid: child.pid ?? 0, dataDir, exited, output, kill, stop, [Symbol.asyncDispose]: stop };
    return { process: made, found };
  } catch (error) {
    await stop();
    throw error;
  }
}

function inherited(): Record<string, string> {
  return Object.fromEntries(
    INHERITED.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Fails the whole file: passing tests must not hide the end of the process, and failing ones should show why. */
function failTheFile(why: string): void {
  queueMicrotask(() => {
    throw new Error(why);
  });
}

/** Resolves with what `find` finds in a line. All output, also later output, is kept in `chunks`. */
async function listenFor(
  child: ChildProcess,
  find: (line: string) => string | undefined,
  chunks: string[],
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  if (!child.stdout || !child.stderr) throw new Error('the process has no pipes');
  const keep = (text: string) => chunks.push(text) > OUTPUT_CHUNKS_MAX && chunks.shift();
  child.stderr.setEncoding('utf8').on('data', keep);
  createInterface({ input: child.stdout }).on('line', (line) => {
    keep(`${line}\n`);
    const found = find(stripVTControlCharacters(line));
    if (found) resolve(found);
  });
  const fail = (why: string) => reject(new Error(`The process ${why}:\n${chunks.join('')}`));
  child.once('exit', (code, signal) => fail(`ended with ${code ?? signal} while starting`));
  const limit = setTimeout(() => fail(`was not ready within ${START_MS} ms`), START_MS);
  return promise.finally(() => clearTimeout(limit));
}

/** Waits until the database of a killed server has shut down, then removes the folder. */
async function removeFolder(folder: string): Promise<void> {
  const end = performance.now() + STOP_MS;
  while (existsSync(join(folder, 'postgres', 'postmaster.pid')) && performance.now() < end) await delay(20);
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
