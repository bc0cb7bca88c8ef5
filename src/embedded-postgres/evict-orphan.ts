import type { Log } from '../kernel/log.ts';
import { sleep } from '../kernel/sleep.ts';
import { StartupError } from '../kernel/startup-error.ts';
import type { Binaries } from './binaries.ts';
import type { ClusterState } from './cluster-state.ts';
import { signalToStop } from './halt.ts';

/** How long a PostgreSQL on its way up or down is waited for, and a race for its place goes on. */
export const SETTLE_LIMIT_MS = 15_000;

/** A server takes its lock milliseconds after its PostgreSQL is up: one that lives without is another program by now. */
const CLAIM_LIMIT_MS = 5_000;

/** How often the state of somebody else's PostgreSQL is looked at. */
const LOOK_EVERY_MS = 50;

/**
 * Does the next thing towards a free cluster: waits a moment, or asks an orphan to end. `waitedMs` is how long the start
 * has gone on; throws when that is too long for what is in the way.
 */
export async function evictOrphan(
  standing: Exclude<ClusterState, { is: 'free' }>,
  waitedMs: number,
  { cluster, binaries, log, waitForLockMs }: { cluster: string; binaries: Binaries; log: Log; waitForLockMs: number },
): Promise<void> {
  if (standing.is === 'served' && waitedMs >= waitForLockMs) {
    const advice = 'stop it first, or set DATA_DIR to another folder';
    throw new StartupError(`Another server is running on the data folder of ${cluster}: ${advice}.`);
  }
  if (waitedMs >= SETTLE_LIMIT_MS) {
    throw new StartupError(
      `Another PostgreSQL on ${cluster} does not finish starting or ending: try again in a minute.`,
    );
  }
  if (standing.is === 'orphan' || (standing.is === 'claimed' && waitedMs >= Math.max(CLAIM_LIMIT_MS, waitForLockMs))) {
    log.warn({ pid: standing.pid }, 'The last server left its PostgreSQL running; ending that');
    await signalToStop(standing.pid, 'fast', cluster, binaries);
  }
  await sleep(LOOK_EVERY_MS);
}
