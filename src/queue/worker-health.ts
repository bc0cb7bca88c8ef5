/**
 * Tells whether a run of the library still takes jobs. During a database outage the run keeps asking for jobs, but some of
 * its waits grow to minutes, and one kind of failure lasts until the run ends. Such a run has to be replaced.
 */
import type { WorkerEvents } from 'graphile-worker';

export type WorkerHealth = {
  isTakingJobs(): boolean;
  /** Whether this process runs the queue's job of that id, or is about to. */
  hasJob(jobId: string): boolean;
  /** Resolves when a run that is shutting down has no jobs left, or has taken too long to finish them. */
  abandoned: Promise<void>;
  stop(): void;
};

const CHECK_EVERY_MS = 1_000;
/** A run with a free slot asks for jobs twice a second. */
const UNANSWERED_CHECKS_MAX = 2;
const STOP_AFTER_UNANSWERED_CHECKS = 5;
/** The library aborts running tasks after five seconds. */
const ABANDON_AFTER_CHECKS = 10;
/** Without running jobs: time to record how the last ones ended. */
const ABANDON_IDLE_AFTER_CHECKS = 2;

/** Calls `stopRun` when asking for jobs has brought no answer for five seconds, and again each second until the run ends. */
export function watchHealth(events: WorkerEvents, concurrency: number, stopRun: () => void): WorkerHealth {
  const jobs = new Set<string>();
  const { promise: abandoned, resolve: abandon } = Promise.withResolvers<void>();
  let isShuttingDown = false;
  let unansweredChecks = 0;
  let shutdownChecks = 0;
  // Ids are numbers or strings, as the pool's connections parse them.
  events.on('localQueue:getJobs:complete', ({ jobs: fetched }) => {
    for (const { id } of fetched) jobs.add(String(id));
    unansweredChecks = 0;
  });
  events.on('localQueue:returnJobs', ({ jobs: returned }) => {
    for (const { id } of returned) jobs.delete(String(id));
  });
  events.on('job:complete', ({ job }) => jobs.delete(String(job.id)));
  events.once('pool:gracefulShutdown', () => {
    isShuttingDown = true;
  });

  const check = () => {
    if (isShuttingDown) {
      shutdownChecks += 1;
      if (shutdownChecks >= (jobs.size > 0 ? ABANDON_AFTER_CHECKS : ABANDON_IDLE_AFTER_CHECKS)) abandon();
    } else if (jobs.size < concurrency) {
      unansweredChecks += 1;
      if (unansweredChecks >= STOP_AFTER_UNANSWERED_CHECKS) stopRun();
    }
  };
  const timer = setInterval(check, CHECK_EVERY_MS);
  return {
    isTakingJobs: () => !isShuttingDown && unansweredChecks <= UNANSWERED_CHECKS_MAX,
    hasJob: (jobId) => jobs.has(jobId),
    abandoned,
    stop: () => clearInterval(timer),
  };
}
