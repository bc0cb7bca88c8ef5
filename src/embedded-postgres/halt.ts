import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../kernel/log.ts';
import { isAlive } from '../platform/process-ids.ts';
import type { Binaries } from './binaries.ts';
import type { Exit } from './launch.ts';
import { run } from './run.ts';

/** Fast: sessions are ended, everything is written. Immediate: as after a crash, repaired by the next start. */
export type Manner = 'fast' | 'immediate';

/** A fast shutdown writes out at most `shared_buffers`; what takes longer hangs. */
const FAST_LIMIT_MS = 10_000;
const IMMEDIATE_LIMIT_MS = 5_000;

/** Asks PostgreSQL to end; does not wait for it. */
export async function signalToStop(pid: number, manner: Manner, cluster: string, binaries: Binaries): Promise<void> {
  if (process.platform === 'win32') {
    // There signals end a process at once; pg_ctl knows PostgreSQL's own way.
    await run({ before: [], as: {} }, [binaries.pgCtl, 'stop', '-W', '-m', manner, '-D', cluster], cluster);
    return;
  }
  try {
    process.kill(pid, manner === 'fast' ? 'SIGINT' : 'SIGQUIT');
  } catch (error) {
    if (isAlive(pid)) throw error;
  }
}

/** Ends our own PostgreSQL: fast, then immediate, then by force; within about 16 s. */
export async function halt(
  pid: number,
  exited: Promise<Exit>,
  log: Log,
  cluster: string,
  binaries: Binaries,
): Promise<void> {
  const isOver = async (limitMs: number) => {
    const limit = new AbortController();
    const late = delay(limitMs, false, { signal: limit.signal }).catch(() => false);
    const over = await Promise.race([exited.then(() => true), late]);
    limit.abort();
    return over;
  };
  await signalToStop(pid, 'fast', cluster, binaries);
  if (await isOver(FAST_LIMIT_MS)) return;
  log.warn({}, 'PostgreSQL does not shut down; ending it as after a crash');
  await signalToStop(pid, 'immediate', cluster, binaries);
  if (await isOver(IMMEDIATE_LIMIT_MS)) return;
  if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  await isOver(1_000);
}
