/** How long `npm start` takes until it answers, on an empty folder and on a used one, and how much memory it needs. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startTestServer, type TestServer } from '../test/support/server.ts';
import { type Bench, quantile } from './report.ts';

const NEXT_STARTS = 3;
const FIRST_MAX_S = 10;
const NEXT_MAX_S = 4;
const MEASURED_AFTER_MS = 30_000;
const MEMORY_MAX_MB = 200;
/** The last of those 30 seconds. */
const IDLE_MS = 20_000;
/** The unit of processor time on Linux. */
const TICK_MS = 10;

export const start: Bench = async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'rendio-bench-'));
  try {
    const first = await timed(dataDir);
    await first.server.stop();
    const next: number[] = [];
    for (let count = 0; count < NEXT_STARTS; count += 1) {
      const { server, seconds } = await timed(dataDir);
      next.push(seconds);
      await server.stop();
    }
    const { server, seconds } = await timed(dataDir);
    await using _stopping = server;
    next.push(seconds);
    await wait(MEASURED_AFTER_MS - IDLE_MS);
    const before = await processorMs(server.pid);
    await wait(IDLE_MS);
    const idle = ((await processorMs(server.pid)) - before) / (IDLE_MS / 1_000);
    return [
      { name: 'first start until ready', value: first.seconds, unit: 's', promise: FIRST_MAX_S },
      { name: 'next start until ready, the median', value: quantile(next, 0.5), unit: 's', promise: NEXT_MAX_S },
      { name: 'next start until ready, the longest', value: Math.max(...next), unit: 's', promise: NEXT_MAX_S },
      { name: 'memory of the server after 30 s', value: memoryMb(server.pid), unit: 'MB', promise: MEMORY_MAX_MB },
      // Only where the system reports it.
      ...(Number.isNaN(idle)
        ? []
        : [{ name: 'processor of the idle server, each second', value: idle, unit: 'ms' as const }]),
    ];
  } finally {
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  }
};

async function timed(dataDir: string): Promise<{ server: TestServer; seconds: number }> {
  const began = performance.now();
  const server = await startTestServer({ env: { DATA_DIR: dataDir } });
  const ready = await fetch(`${server.url}/readyz`);
  if (!ready.ok) throw new Error('the server printed that it is ready, but /readyz failed');
  return { server, seconds: (performance.now() - began) / 1_000 };
}

/** Resident memory, including shared pages such as the program's code. */
function memoryMb(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1_024;
}

/** The processor time of the process so far; NaN if the system does not report it. */
async function processorMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11] ?? Number.NaN) + Number(fields[12] ?? Number.NaN)) * TICK_MS;
}
