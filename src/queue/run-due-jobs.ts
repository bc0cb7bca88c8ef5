/** A worker for a limited time, for runtimes where no process stays up between requests. */

import { sleep } from '../kernel/sleep.ts';
import { type RunOptions, startRun } from './run.ts';

export type RunDueJobsOptions = RunOptions & {
  /** No job starts after this time. The run ends earlier when no job is left. */
  limitMs: number;
  /** Jobs that still run then get this long before they go back to the queue. */
  graceMs: number;
};

const CHECK_EVERY_MS = 200;
/** Jobs that become due within this time are waited for. */
const SOON_MS = 1_000;

/** Jobs that this worker holds, or that are due and free and of a task that it knows; jobs that other workers hold do not count. */
const HAS_JOBS_LEFT = `
  select exists (
    select from graphile_worker._private_jobs
    where attempts < max_attempts
      and (locked_by = $1 or (
        locked_at is null
        and run_at <= now() + $2 * interval '1 millisecond'
        and task_id in (select id from graphile_worker._private_tasks where identifier = any($3))
      ))
  ) as "hasJobsLeft"`;

/** Runs all due jobs. True when none is left, false when the time was up. Holds a liveness lock, like any worker. */
export async function runDueJobs(options: RunDueJobsOptions): Promise<boolean> {
  const { limitMs, graceMs } = options;
  const until = performance.now() + limitMs;
  const run = await startRun(options, new Set());
  let hasEnded = false;
  run.finished.then(() => {
    hasEnded = true;
  });
  try {
    while (performance.now() < until && !hasEnded) {
      if (!(await hasJobsLeft(options, run.id))) return true;
      await sleep(CHECK_EVERY_MS);
    }
    return false;
  } finally {
    await run.stop(graceMs);
  }
}

async function hasJobsLeft({ pool, tasks }: Pick<RunOptions, 'pool' | 'tasks'>, workerId: string): Promise<boolean> {
  const { rows } = await pool.query<{ hasJobsLeft: boolean }>(HAS_JOBS_LEFT, [workerId, SOON_MS, Object.keys(tasks)]);
  return rows[0]?.hasJobsLeft ?? false;
}
