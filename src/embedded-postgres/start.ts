import type { Log } from '../kernel/log.ts';
import { sleep } from '../kernel/sleep.ts';
import { findBinaries } from './binaries.ts';
import { clusterStateOf } from './cluster-state.ts';
import { diagnose, isRetryable } from './diagnose.ts';
import { CHANGE_TIMEOUT_MS, evictOrphan } from './evict-orphan.ts';
import { launch } from './launch.ts';
import { prepareFolder } from './prepare-folder.ts';
import { type EmbeddedPostgres, supervise } from './supervise.ts';

export type { EmbeddedPostgres } from './supervise.ts';

export type EmbeddedPostgresOptions = {
  /** Created if missing. It holds the cluster in `postgres` and PostgreSQL's log in `postgres.log`. */
  dataDir: string;
  log: Log;
  /** How long to wait for another server on the same folder to end. */
  waitForLockMs?: number;
  /** A folder with `initdb` and `postgres`, instead of the binaries that npm installed. */
  binDir?: string;
  /** More settings of PostgreSQL, such as `max_connections`. */
  settings?: Record<string, string>;
};

/**
 * Starts PostgreSQL on `<dataDir>/postgres`, created if missing. Throws a StartupError if the operator has to act, for example
 * when another server still runs on the folder after `waitForLockMs`.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { dataDir, log, waitForLockMs = 5_000, binDir, settings = {} } = options;
  const began = performance.now();
  const waitedMs = () => performance.now() - began;
  const binaries = await findBinaries(binDir);
  const { cluster, logFile } = await prepareFolder(dataDir, binaries);
  for (;;) {
    const state = await clusterStateOf(cluster);
    if (state.is !== 'free') {
      await evictOrphan(state, waitedMs(), { cluster, binaries, log, waitForLockMs });
      continue;
    }
    const result = await launch({ cluster, logFile, binaries, settings, ignorePid: state.ignorePid });
    if (!('lastOutput' in result)) return await supervise(result, cluster, binaries, log);
    if (!isRetryable(result.lastOutput) || waitedMs() >= CHANGE_TIMEOUT_MS) {
      throw await diagnose(cluster, logFile, result.lastOutput, binaries);
    }
    await sleep(20);
  }
}
