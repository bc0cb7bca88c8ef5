import type { Log } from '../kernel/log.ts';
import { sleep } from '../kernel/sleep.ts';
import { findBinaries } from './binaries.ts';
import { clusterStateOf } from './cluster-state.ts';
import { diagnose, isWorthRepeating } from './diagnose.ts';
import { evictOrphan, SETTLE_LIMIT_MS } from './evict-orphan.ts';
import { launch } from './launch.ts';
import { prepareFolder } from './prepare-folder.ts';
import { type EmbeddedPostgres, supervise } from './supervise.ts';

export type { EmbeddedPostgres } from './supervise.ts';

export type EmbeddedPostgresOptions = {
  /** Made if missing. The cluster is `postgres` in it, PostgreSQL's log `postgres.log`. */
  dataDir: string;
  log: Log;
  /** How long another server on the same folder may take to go. */
  waitForLockMs?: number;
  /** A folder with `initdb` and `postgres`, instead of the binaries that npm installed. */
  binDir?: string;
  /** More of PostgreSQL's settings, such as `max_connections`. */
  settings?: Record<string, string>;
};

/**
 * Starts PostgreSQL on `<dataDir>/postgres`, made if missing. Throws a StartupError where a person has to act, such as
 * another server that still runs on the folder after `waitForLockMs`.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { dataDir, log, waitForLockMs = 5_000, binDir, settings = {} } = options;
  const began = performance.now();
  const waitedMs = () => performance.now() - began;
  const binaries = await findBinaries(binDir);
  const { cluster, logFile } = await prepareFolder(dataDir, binaries);
  for (;;) {
    const standing = await clusterStateOf(cluster);
    if (standing.is !== 'free') {
      await evictOrphan(standing, waitedMs(), { cluster, binaries, log, waitForLockMs });
      continue;
    }
    const result = await launch({ cluster, logFile, binaries, settings, ignorePid: standing.ignorePid });
    if (!('lastWords' in result)) return await supervise(result, cluster, binaries, log);
    if (!isWorthRepeating(result.lastWords) || waitedMs() >= SETTLE_LIMIT_MS) {
      throw await diagnose(cluster, logFile, result.lastWords, binaries);
    }
    await sleep(20);
  }
}
