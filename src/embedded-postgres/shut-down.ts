import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../kernel/log.ts';
import { isAlive } from '../platform/process-ids.ts';
import type { Binaries } from './binaries.ts';
import type { Exit } from './launch.ts';
import { run } from './run.ts';

/** `fast` ends sessions and writes everything to disk. `immediate` is like a crash; the next start recovers from it. */
export type ShutdownMode = 'fast' | 'immediate';

/** A fast shutdown writes at most `shared_buffers`; one that takes longer hangs. */
const FAST_TIMEOUT_MS = 10_000;
const IMMEDIATE_TIMEOUT_MS = 5_000;

/** Tells PostgreSQL to shut down; does not wait for it. */
export async function requestShutdown(
  pid: number,
  mode: ShutdownMode,
  cluster: string,
  binaries: Binaries,
): Promise<void> {
  if (process.platform === 'win32') {
    // On Windows, signals kill a process at once; pg_ctl uses PostgreSQL's own mechanism.
    await run({ prefix: [], user: {} }, [binaries.pgCtl, 'stop', '-W', '-m', mode, '-D', cluster], cluster);
    return;
  }
  try {
    process.kill(pid, mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
  } catch (error) {
    if (isAlive(pid)) throw error;
  }
}

/** Shuts down our own PostgreSQL: fast, then immediate, then by SIGKILL; within about 16 s. */
export async function shutDown(
  pid: number,
  exited: Promise<Exit>,
  log: Log,
  cluster: string,
  binaries: Binaries,
): Promise<void> {
  const isOver = async (limitMs: number) => {
    const timer = new AbortController();
    const timeout = delay(limitMs, false, { signal: timer.signal }).catch(() => false);
    const over = await Promise.race([exited.then(() => true), timeout]);
    timer.abort();
    return over;
  };
  await requestShutdown(pid, 'fast', cluster, binaries);
  if (await isOver(FAST_TIMEOUT_MS)) return;
  log.warn({}, 'PostgreSQL shutdown timed out, ending it as in a crash');
  await requestShutdown(pid, 'immediate', cluster, binaries);
  if (await isOver(IMMEDIATE_TIMEOUT_MS)) return;
  if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  await isOver(1_000);
}
