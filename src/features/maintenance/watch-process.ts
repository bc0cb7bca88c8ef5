import { hostname } from 'node:os';
import type { Context } from '../context.ts';

export type ProcessWatchContext = Pick<Context, 'db' | 'diskSpace' | 'raiseAlert'>;

/** Below both, an upload or a video may soon find no space. */
const DISK_FREE_MIN_SHARE = 0.05;
const DISK_FREE_MIN_BYTES = 5 * 1024 ** 3;
/** In a row: a burst of calls uses all sessions for a moment. */
const POOL_CHECKS = 3;

/** Watches what this process alone has: the space on its disk, and its sessions of the database. */
export function createProcessWatch(ctx: ProcessWatchContext): () => Promise<void> {
  let exhausted = 0;
  return async () => {
    const { pool } = ctx.db;
    exhausted = pool.waitingCount > 0 && pool.idleCount === 0 ? exhausted + 1 : 0;
    if (exhausted >= POOL_CHECKS)
      ctx.raiseAlert({
        kind: 'database_pool',
        subject: hostname().slice(0, 100),
        details: { sessions: pool.totalCount, waiting: pool.waitingCount },
      });
    if (!ctx.diskSpace) return;
    const { freeBytes, totalBytes } = await ctx.diskSpace();
    if (freeBytes < DISK_FREE_MIN_BYTES && freeBytes < totalBytes * DISK_FREE_MIN_SHARE)
      ctx.raiseAlert({
        kind: 'disk_full',
        subject: hostname().slice(0, 100),
        details: {
          free_megabytes: Math.round(freeBytes / 1024 ** 2),
          total_megabytes: Math.round(totalBytes / 1024 ** 2),
        },
      });
  };
}
