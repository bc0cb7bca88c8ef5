/** Runs a server that is expected not to start, until it exits. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileCache } from '../../../src/platform/compile-cache.ts';
import { importFlag } from '../../support/import-flag.ts';

const ENTRY = fileURLToPath(new URL('../../../src/entry/node.ts', import.meta.url));
/** The server is killed after this time. */
const LIMIT_MS = 30_000;

export type Start = { code: number | null; output: string; seconds: number };

/** Starts the server with this environment and nothing else; `prepare` may change its data folder first. */
export async function runFailingStart(
  env: Record<string, string>,
  prepare: (dataDir: string) => Promise<unknown> = async () => {},
): Promise<Start> {
  const folder = await mkdtemp(join(tmpdir(), 'rendio-start-'));
  try {
    await prepare(folder);
    const began = performance.now();
    const child = spawn(process.execPath, [...importFlag(), ENTRY], {
      cwd: tmpdir(),
      env: { ...compileCache(), PATH: process.env.PATH, NO_COLOR: '1', PORT: '0', DATA_DIR: folder, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
    await once(child, 'close');
    clearTimeout(limit);
    return { code: child.exitCode, output, seconds: (performance.now() - began) / 1000 };
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }
}
