import type { Log } from '../kernel/log.ts';
import { sleep } from '../kernel/sleep.ts';
import { StartupError } from '../kernel/startup-error.ts';
import type { Binaries } from './binaries.ts';
import type { ClusterState } from './cluster-state.ts';
import { requestShutdown } from './shut-down.ts';

/** How long a start waits for a PostgreSQL that is starting or stopping, and retries after a lost race for the cluster. */
export const CHANGE_TIMEOUT_MS = 15_000;

/** A server takes its lock milliseconds after its PostgreSQL is up. After this time, its pid belongs to another program. */
const CLAIM_TIMEOUT_MS = 5_000;

/** How often the state of the other PostgreSQL is checked. */
const CHECK_EVERY_MS = 50;

/**
 * Does the next step towards a free cluster: waits a moment, or tells an orphan to shut down. `waitedMs` is the time since
 * the start began; throws when that is too long for the present state.
 */
export async function evictOrphan(
  state: Exclude<ClusterState, { is: 'free' }>,
  waitedMs: number,
  { cluster, binaries, log, waitForLockMs }: { cluster: string; binaries: Binaries; log: Log; waitForLockMs: number },
): Promise<void> {
  if (state.is === 'served' && waitedMs >= waitForLockMs) {
    const advice = 'stop it first, or set DATA_DIR to another folder';
    throw new StartupError(`Another server is running on the data folder of ${cluster}: ${advice}.`);
  }
  if (waitedMs >= CHANGE_TIMEOUT_MS) {
    throw new StartupError(
      `Another PostgreSQL on ${cluster} does not finish starting or ending: try again in a minute.`,
    );
  }
  if (state.is === 'orphan' || (state.is === 'claimed' && waitedMs >= Math.max(CLAIM_TIMEOUT_MS, waitForLockMs))) {
    log.warn({ pid: state.pid }, 'stopping orphaned PostgreSQL of an earlier server');
    await requestShutdown(state.pid, 'fast', cluster, binaries);
  }
  await sleep(CHECK_EVERY_MS);
}
