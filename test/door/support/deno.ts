/** Runs programs of this project under Deno: the newest version, and the one that Supabase's edge runtime follows. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';

export type DenoVersion = 'newest' | '2.1';
export const DENO_VERSIONS: DenoVersion[] = ['newest', '2.1'];

const ROOT = join(import.meta.dirname, '..', '..', '..');
/** Deno's compiled code, kept for the next run. */
const CACHE = join(ROOT, 'node_modules/.cache/deno');
/** With the packages that npm has installed: Deno downloads nothing and checks no types. */
const LOCAL = ['run', '--no-prompt', '--cached-only', '--node-modules-dir=manual', '--no-check'];
/** The permissions of a function in the edge runtime: no processes, no native code, of the system only its host name. */
const ISOLATE = [
  '--allow-env',
  '--allow-net',
  '--allow-read',
  '--allow-write',
  '--allow-import',
  '--allow-sys=hostname',
];
const START_MS = 60_000;
const STOP_MS = 20_000;

export type DenoProcess = AsyncDisposable & { url: string; output(): string; stop(): Promise<void> };
type Options = { version: DenoVersion; env: Record<string, string> };

/** Starts the API and the pages on a free port, until disposed. */
export function startDenoDoor({ version, env }: Options): Promise<DenoProcess> {
  return start(version, [...LOCAL, '--allow-all', join(ROOT, 'src/entry/deno.ts')], { PORT: '0', ...env });
}

/** Starts the edge functions with these names behind one URL, with the permissions of edge functions, until disposed. */
export function startGateway({ version, env, functions }: Options & { functions: string[] }): Promise<DenoProcess> {
  const config = ['--config', join(ROOT, 'supabase/functions/deno.json')];
  const program = join(import.meta.dirname, 'gateway.ts');
  return start(version, [...LOCAL, ...config, ...ISOLATE, program], { ...env, FUNCTIONS: functions.join(',') });
}

/** Runs a program with the permissions of edge functions to its end; `input` is its standard input, the result its output. */
export async function runProgram({
  version,
  program,
  input,
}: {
  version: DenoVersion;
  program: string;
  input: string;
}) {
  const child = spawn(denoBinary(version), [...LOCAL, ...ISOLATE, program], {
    cwd: disk(),
    env: { PATH: process.env.PATH, HOME: disk(), DENO_DIR: CACHE, NO_COLOR: '1' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  child.stdin.end(input);
  const chunks: Buffer[] = await child.stdout.toArray();
  const [code] = await exited;
  if (code !== 0) throw new Error(`Deno ${version} ended with ${code}`);
  return Buffer.concat(chunks).toString();
}

/** Makes a folder for an isolate's files. Not in /dev/shm: for files under /dev Deno requires all permissions. */
export function makeIsolateFolder(): Promise<string> {
  return mkdtemp(join(disk(), 'rendio-edge-'));
}

function disk(): string {
  return process.env.RENDIO_TEST_DISK ?? tmpdir();
}

/** Deno has one package with a binary for each platform, of which npm has installed one. */
export function denoBinary(version: DenoVersion): string {
  const owner = createRequire(join(ROOT, 'node_modules', version === '2.1' ? 'deno-2.1' : 'deno', 'package.json'));
  const platform = `${process.platform}-${process.arch}${process.platform === 'linux' ? '-glibc' : ''}`;
  const folder = dirname(owner.resolve(`@deno/${platform}/package.json`));
  return join(folder, process.platform === 'win32' ? 'deno.exe' : 'deno');
}

async function start(version: DenoVersion, args: string[], env: Record<string, string>): Promise<DenoProcess> {
  const child = spawn(denoBinary(version), args, {
    cwd: disk(),
    env: { PATH: process.env.PATH, HOME: disk(), DENO_DIR: CACHE, NO_COLOR: '1', LOG_LEVEL: 'warn', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const killChild = () => child.kill('SIGKILL');
  process.once('exit', killChild);
  const chunks: string[] = [];
  const exited = once(child, 'exit').finally(() => process.off('exit', killChild));
  const stop = async () => {
    const limit = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    child.kill('SIGTERM');
    await exited;
    clearTimeout(limit);
  };
  const { promise: found, resolve, reject } = Promise.withResolvers<string>();
  child.stderr.setEncoding('utf8').on('data', (text: string) => chunks.push(text));
  createInterface({ input: child.stdout }).on('line', (line) => {
    chunks.push(`${line}\n`);
    const url = /^\s*(https?:\S+)\s*$/.exec(stripVTControlCharacters(line))?.[1];
    if (url) resolve(url);
  });
  const fail = (why: string) => reject(new Error(`Deno ${version} ${why}:\n${chunks.join('')}`));
  exited.then(() => fail('ended while starting'));
  const limit = setTimeout(() => fail(`was not ready within ${START_MS} ms`), START_MS);
  try {
    const url = await found.finally(() => clearTimeout(limit));
    return { url, output: () => chunks.join(''), stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
