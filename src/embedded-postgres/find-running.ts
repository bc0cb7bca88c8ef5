import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep } from '../kernel/sleep.ts';
import { urlOf } from './cluster.ts';
import { clusterStateOf } from './cluster-state.ts';
import { CHANGE_TIMEOUT_MS } from './evict-orphan.ts';
import { readPidFile } from './pid-file.ts';

const CHECK_EVERY_MS = 50;

/**
 * The owner's connection string for database `rendio` of the PostgreSQL that a server runs on this data folder; null if none
 * runs. Waits while one is starting or stopping.
 */
export async function findRunningPostgres(dataDir: string): Promise<string | null> {
  const folder = await realpath(dataDir).catch(() => null);
  if (folder === null) return null;
  const cluster = join(folder, 'postgres');
  const began = performance.now();
  for (;;) {
    const state = await clusterStateOf(cluster);
    if (state.is === 'served' || state.is === 'claimed') {
      const file = await readPidFile(cluster);
      if (file?.port) return urlOf(cluster, file.port, 'rendio');
    }
    const isOver = state.is === 'free' || state.is === 'orphan';
    if (isOver || performance.now() - began >= CHANGE_TIMEOUT_MS) return null;
    await sleep(CHECK_EVERY_MS);
  }
}
