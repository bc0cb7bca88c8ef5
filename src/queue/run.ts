/** One run of the library's worker, from its start to its end, under a liveness lock. */

import { EventEmitter } from 'node:events';
import type { Logger, Runner, TaskList, WorkerEvents } from 'graphile-worker';
import type pg from 'pg';
import type { SessionConfig } from '../db/session.ts';
import { errorLabel } from '../kernel/error-code.ts';
import type { Log } from '../kernel/log.ts';
import { withLogFields } from '../kernel/log-scope.ts';
import { within } from '../kernel/sleep.ts';
import { openLivenessLock } from './liveness-lock.ts';
import { loadLibrary } from './load-library.ts';
import { watchHealth } from './worker-health.ts';

export type TaskHandler = (payload: unknown, help: { signal: AbortSignal; attempt: number }) => Promise<void>;
export type Tasks = Record<string, TaskHandler>;

export type RunOptions = {
  pool: pg.Pool;
  /** Unpooled connection settings for the liveness lock. */
  connection: SessionConfig;
  tasks: Tasks;
  /** graphile-worker's crontab text. */
  crontab: string;
  log: Log;
  /** Called for each failure of a task that its worker's shutdown has not caused. `attempts` counts them. */
  onFailure?: (failure: { task: string; attempts: number }) => void;
  concurrency?: number;
  /** No other process takes jobs of this queue: the jobs of an earlier process are taken over without waiting. */
  isOnlyWorker?: boolean;
  /** How often the worker looks for jobs of workers that are gone. */
  checkEveryMs?: number;
};

export type Run = {
  /** The queue's id of this worker. */
  id: string;
  isTakingJobs(): boolean;
  /** Resolves when the run has ended, by itself or stopped, or when its end takes too long. */
  finished: Promise<void>;
  /** Ends the run as if it had ended by itself. */
  abandon(): void;
  /** As `Worker.stop`; repeatable. */
  stop(graceMs: number): Promise<void>;
};

/** Delayed jobs (retries, the next status poll) start at most this late. */
const POLL_EVERY_MS = 500;
/** Fetched jobs that find no free slot go back to the queue after this time: another process may have one. */
const LOCAL_QUEUE_TTL_MS = 1_000;
// By default the library does not await the write that completes a job: during a database outage its rejection would end the
// process. In batches, even of one, the write is awaited; a failure ends the run, and the next run finds the job again.
const BATCHES = { completeJobBatchDelay: 0, failJobBatchDelay: 0 };

/** `ended`: ids of earlier runs of this process. */
export async function startRun(options: RunOptions, ended: ReadonlySet<string>): Promise<Run> {
  const { pool, connection, crontab, log, concurrency = 16, isOnlyWorker = false, checkEveryMs } = options;
  const library = await loadLibrary();
  const stopping = new AbortController();
  const lock = await openLivenessLock({
    connection,
    log,
    hasJob: (jobId) => health.hasJob(jobId),
    hasEnded: (workerId) => isOnlyWorker || ended.has(workerId),
    ...(checkEveryMs ? { checkEveryMs } : {}),
  });
  const events: WorkerEvents = new EventEmitter();
  const health = watchHealth(events, concurrency, () => void runner?.stop().catch(() => {}));
  let id = '';
  let held: Promise<void> | undefined;
  // Before the run asks for its first job, so that its jobs are never seen without the lock.
  events.once('pool:create', ({ workerPool }) => {
    id = workerPool.id;
    held = lock.hold(id);
  });
  let runner: Runner | undefined;
  try {
    runner = await library.run({
      pgPool: pool,
      noHandleSignals: true,
      taskList: createTaskList(options, stopping.signal),
      crontab,
      events,
      logger: createLogger(library.Logger, log, stopping.signal),
      preset: {
        worker: {
          concurrentJobs: concurrency,
          pollInterval: POLL_EVERY_MS,
          // One query asks for jobs for all slots: a query for each slot costs an idle server ten times as much.
          localQueue: { size: concurrency, ttl: LOCAL_QUEUE_TTL_MS },
          preparedStatements: false,
          ...BATCHES,
        },
      },
    });
    await held;
  } catch (error) {
    health.stop();
    await lock.close();
    throw error;
  }
  const running = runner;
  const over = running.promise.catch((error) => log.warn({ code: errorLabel(error) }, 'worker run failed'));
  const { promise: abandoned, resolve: abandon } = Promise.withResolvers<void>();
  const finished = Promise.race([over, health.abandoned, abandoned]);

  return {
    id,
    isTakingJobs: health.isTakingJobs,
    finished,
    abandon,
    async stop(graceMs) {
      const gentle = running.stop().catch(() => {});
      await within(graceMs / 2, Promise.all([gentle, over]));
      stopping.abort(new Error('the worker is shutting down'));
      await within(graceMs / 2, over);
      health.stop();
      await lock.close();
    },
  };
}

function createTaskList({ tasks, log, onFailure }: RunOptions, stopping: AbortSignal): TaskList {
  const entries = Object.entries(tasks).map(([name, handle]): [string, TaskList[string]] => [
    name,
    async (payload, { abortSignal, job }) => {
      const signal = abortSignal ? AbortSignal.any([abortSignal, stopping]) : stopping;
      try {
        await withLogFields({ task: name }, () => handle(payload, { signal, attempt: job.attempts }));
      } catch (error) {
        if (signal.aborted) log.info({ task: name, job: payload }, 'task interrupted, will be retried');
        else {
          log.warn({ task: name, job: payload, code: errorLabel(error) }, 'task failed, will be retried');
          onFailure?.({ task: name, attempts: job.attempts });
        }
        // The queue stores and logs the message of this error: a code holds no values.
        throw new Error(errorLabel(error));
      }
    },
  ]);
  return Object.fromEntries(entries);
}

/** The library's messages name tasks and ids, never payloads. Failed tasks and the shutdown are logged by this file already. */
function createLogger(Class: typeof Logger, log: Log, stopping: AbortSignal): Logger {
  return new Class(() => (level, message) => {
    const isLoggedAlready = stopping.aborted || message.startsWith('Failed task');
    if (level === 'error' && !isLoggedAlready) log.error({ queue: message }, 'queue');
    else if (level === 'warning' && !isLoggedAlready) log.warn({ queue: message }, 'queue');
    else log.debug({ queue: message }, 'queue');
  });
}
