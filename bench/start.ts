/** How long a start takes, first and next, and what the server holds in memory half a minute later. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startTestServer } from '../test/support/server.ts';
import { printTable } from './table.ts';

const NEXT_STARTS = 3;
const SETTLE_MS = 30_000;

async function residentMb(pid: number): Promise<string> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kb = /VmRSS:\s+(\d+)/.exec(status)?.[1];
  return kb ? `${(Number(kb) / 1024).toFixed(0)} MB` : 'unknown here';
}

export async function benchStart(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'rendio-bench-'));
  const timed = async () => {
    const startedAt = performance.now();
    const server = await startTestServer({ env: { DATA_DIR: dataDir } });
    return { server, took: `${((performance.now() - startedAt) / 1000).toFixed(2)} s` };
  };
  try {
    const first = await timed();
    await wait(SETTLE_MS);
    const memory = await residentMb(first.server.pid);
    await first.server.stop();
    const rows: string[][] = [['first start (promise: 10 s)', first.took]];
    for (let start = 1; start <= NEXT_STARTS; start += 1) {
      const next = await timed();
      await next.server.stop();
      rows.push(['next start (promise: 4 s)', next.took]);
    }
    rows.push([`memory after ${SETTLE_MS / 1000} s (promise: 200 MB)`, memory]);
    printTable('start', ['', 'measured'], rows);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}
