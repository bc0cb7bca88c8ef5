/** One run of the library's worker, from its start to its end, with the lock of the living around it. */

import { EventEmitter } from 'node:events';
import type { Logger, Runner, TaskList, WorkerEvents } from 'graphile-worker';
import type pg from 'pg';
import { errorLabel } from '../kernel/error-code.ts';
import type { Log } from '../kernel/log.ts';
import { within } from '../kernel/pause.ts';
import { openLivenessLock } from './liveness-lock.ts';
import { loadLibrary } from './load-library.ts';
import { watchHealth } from './worker-health.ts';

export type TaskHandler = (payload: unknown, help: { signal: AbortSignal; attempt: number }) => Promise<void>;
export type Tasks = Record<string, TaskHandler>;

export type RunOptions = {
  pool: pg.Pool;
  /** Unpooled connection settings for the lock that says "I am alive". */
  connection: pg.ClientConfig;
  tasks: Tasks;
  /** graphile-worker's crontab text. */
  crontab: string;
  log: Log;
  concurrency?: number;
  /** No other process takes jobs of this queue: what one before this has left is taken up without waiting. */
  isAlone?: boolean;
  /** How often the worker looks for those that are gone. */
  checkEveryMs?: number;
};

export type Run = {
  /** What the queue knows it by. */
  id: string;
  isTaking(): boolean;
  /** Resolves when it has ended, by itself or stopped, or has been about to for too long. */
  finished: Promise<void>;
  /** As `Worker.stop`; repeatable. */
  stop(graceMs: number): Promise<void>;
};

/** Delayed jobs (retries, the next status question) start at most this late. */
const POLL_EVERY_MS = 500;
/** What was fetched and finds no place free goes back after it: another process may have one. */
const HOLD_MS = 1_000;
// By default the library lets go of the promise that writes a job's end: a database that is away would end the process.
// Gathered in batches, even of one, it is awaited; a failure ends the run, and the next one finds the job again.
const BATCHES = { completeJobBatchDelay: 0, failJobBatchDelay: 0 };

/** `ended`: ids of earlier runs of this process. */
export async function startRun(options: RunOptions, ended: ReadonlySet<string>): Promise<Run> {
  const { pool, connection, crontab, log, concurrency = 16, isAlone = false, checkEveryMs } = options;
  const library = await loadLibrary();
  const stopping = new AbortController();
  const alive = await openLivenessLock({
    connection,
    log,
    hasJob: (jobId) => pulse.hasJob(jobId),
    hasEnded: (workerId) => isAlone || ended.has(workerId),
    ...(checkEveryMs ? { checkEveryMs } : {}),
  });
  const events: WorkerEvents = new EventEmitter();
  const pulse = watchHealth(events, concurrency, () => void runner?.stop().catch(() => {}));
  let id = '';
  let held: Promise<void> | undefined;
  // Before the first job is asked for: nobody ever sees one of ours without the lock.
  events.once('pool:create', ({ workerPool }) => {
    id = workerPool.id;
    held = alive.hold(id);
  });
  let runner: Runner | undefined;
  try {
    runner = await library.run({
      pgPool: pool,
      noHandleSignals: true,
      taskList: taskListOf(options, stopping.signal),
      crontab,
      events,
      logger: loggerOf(library.Logger, log, stopping.signal),
      preset: {
        worker: {
          concurrentJobs: concurrency,
          pollInterval: POLL_EVERY_MS,
          // One asks for all places: each asking for itself costs an idle server ten times as much.
          localQueue: { size: concurrency, ttl: HOLD_MS },
          preparedStatements: false,
          ...BATCHES,
        },
      },
    });
    await held;
  } catch (error) {
    pulse.stop();
    await alive.close();
    throw error;
  }
  const running = runner;
  const over = running.promise.catch((error) => log.warn({ code: errorLabel(error) }, 'the worker gave up'));
  const finished = Promise.race([over, pulse.abandoned]);

  return {
    id,
    isTaking: pulse.isTaking,
    finished,
    async stop(graceMs) {
      const gentle = running.stop().catch(() => {});
      await within(graceMs / 2, Promise.all([gentle, over]));
      stopping.abort(new Error('the worker is shutting down'));
      await within(graceMs / 2, over);
      pulse.stop();
      await alive.close();
    },
  };
}

function taskListOf({ tasks, log }: RunOptions, stopping: AbortSignal): TaskList {
  const entries = Object.entries(tasks).map(([name, handle]): [string, TaskList[string]] => [
    name,
    async (payload, { abortSignal, job }) => {
      const signal = abortSignal ? AbortSignal.any([abortSignal, stopping]) : stopping;
      try {
        await handle(payload, { signal, attempt: job.attempts });
      } catch (error) {
        if (signal.aborted) log.info({ task: name, job: payload }, 'a task was broken off and will go on later');
        else log.warn({ task: name, job: payload, code: errorLabel(error) }, 'a task failed and will be tried again');
        // The queue keeps and prints what it catches: a code says enough, and never carries a value.
        throw new Error(errorLabel(error));
      }
    },
  ]);
  return Object.fromEntries(entries);
}

/** Its messages name tasks and ids, never payloads. What it says of a failed task, and of its own end, we say ourselves. */
function loggerOf(Class: typeof Logger, log: Log, stopping: AbortSignal): Logger {
  return new Class(() => (level, message) => {
    const isOurs = stopping.aborted || message.startsWith('Failed task');
    if (level === 'error' && !isOurs) log.error({ queue: message }, 'queue');
    else if (level === 'warning' && !isOurs) log.warn({ queue: message }, 'queue');
    else log.debug({ queue: message }, 'queue');
  });
}
