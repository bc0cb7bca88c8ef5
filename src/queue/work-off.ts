/** A worker for a short while: for places that run only while somebody asks something of them. */

import type pg from 'pg';
import { pause } from '../kernel/pause.ts';
import { type RunOptions, startRun } from './run.ts';

export type WorkOffOptions = RunOptions & {
  /** No job is begun after it; it may end much earlier, when nothing is left to do. */
  limitMs: number;
  /** What still runs then gets this long, and is handed back after it. */
  graceMs: number;
};

const LOOK_EVERY_MS = 200;
/** What is due this soon is worth staying for. */
const SOON_MS = 1_000;

/** Its own, or due and free. Jobs of other workers are theirs. */
const ANYTHING_LEFT = `
  select exists (
    select from graphile_worker._private_jobs
    where attempts < max_attempts
      and (locked_by = $1 or (locked_at is null and run_at <= now() + $2 * interval '1 millisecond'))
  ) as "isLeft"`;

/** Does all that is due. True when nothing is left, false when its time was up. Lives, and is watched, like any worker. */
export async function workOff(options: WorkOffOptions): Promise<boolean> {
  const { pool, limitMs, graceMs } = options;
  const until = performance.now() + limitMs;
  const run = await startRun(options, new Set());
  let hasEnded = false;
  run.finished.then(() => {
    hasEnded = true;
  });
  try {
    while (performance.now() < until && !hasEnded) {
      if (!(await isAnythingLeft(pool, run.id))) return true;
      await pause(LOOK_EVERY_MS);
    }
    return false;
  } finally {
    await run.stop(graceMs);
  }
}

async function isAnythingLeft(pool: pg.Pool, workerId: string): Promise<boolean> {
  const { rows } = await pool.query<{ isLeft: boolean }>(ANYTHING_LEFT, [workerId, SOON_MS]);
  return rows[0]?.isLeft ?? false;
}
