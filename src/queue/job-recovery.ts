/**
 * Finds locked jobs that no worker runs and makes them available again: those of workers without a liveness lock, and
 * those of this worker that the queue gave out over a connection that broke before the answer arrived.
 */
import type pg from 'pg';
import type { Log } from '../kernel/log.ts';
import { createConsecutiveCounter } from './consecutive-counter.ts';
import { FIND_JOBS_OF_WORKER, FIND_MISSING_WORKERS, RELEASE_JOBS, UNLOCK_WORKERS } from './liveness-sql.ts';

export type JobRecovery = {
  /** Takes over the jobs of workers that have no liveness lock in several checks in a row, or are known to have ended. */
  unlockMissingWorkers(client: pg.Client): Promise<void>;
  /** Gives back jobs that are locked by this worker and unknown to it in several checks in a row. */
  releaseUnknownJobs(client: pg.Client, workerId: string): Promise<void>;
  /** Starts counting missing workers anew. */
  forgetMissingWorkers(): void;
};

export type JobRecoveryOptions = {
  log: Log;
  /** Whether this process runs the queue's job of that id, or is about to. */
  hasJob(jobId: string): boolean;
  /** Whether a worker without the lock is known to have ended, so that its jobs are taken over without waiting. */
  hasEnded(workerId: string): boolean;
};

/** In a row, over one connection: a worker that has just started, or lost its own, is back long before the third. */
const CHECKS_UNTIL_RECOVERED = 3;

export function createJobRecovery({ log, hasJob, hasEnded }: JobRecoveryOptions): JobRecovery {
  const missingCounter = createConsecutiveCounter(CHECKS_UNTIL_RECOVERED);
  const unknownCounter = createConsecutiveCounter(CHECKS_UNTIL_RECOVERED);
  return {
    async unlockMissingWorkers(client) {
      const missing = await findNames(client, FIND_MISSING_WORKERS);
      const confirmed = new Set(missingCounter.count(missing));
      const workers = missing.filter((worker) => confirmed.has(worker) || hasEnded(worker));
      if (workers.length === 0) return;
      await client.query(UNLOCK_WORKERS, [workers]);
      log.warn({ workers }, 'took over the jobs of workers that are gone');
    },
    async releaseUnknownJobs(client, workerId) {
      const locked = await findNames(client, FIND_JOBS_OF_WORKER, [workerId]);
      const jobs = unknownCounter.count(locked.filter((id) => !hasJob(id)));
      if (jobs.length === 0) return;
      await client.query(RELEASE_JOBS, [jobs, workerId]);
      log.warn({ jobs }, 'released jobs that were locked for this worker and never reached it');
    },
    forgetMissingWorkers: () => missingCounter.reset(),
  };
}

async function findNames(client: pg.Client, sql: string, values: unknown[] = []): Promise<string[]> {
  return (await client.query<{ name: string }>(sql, values)).rows.map(({ name }) => name);
}
