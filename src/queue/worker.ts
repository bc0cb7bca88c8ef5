/**
 * Runs background jobs from the queue in PostgreSQL. By the library's own rules, the jobs of a killed worker stay locked for
 * hours; here each worker also holds a session advisory lock, and every running worker frees the jobs of workers whose lock
 * is gone.
 */

import { errorLabel } from '../kernel/error-code.ts';
import { sleep } from '../kernel/sleep.ts';
import { claimStrayErrors } from '../platform/stray-errors.ts';
import { type Run, type RunOptions, startRun } from './run.ts';

export type { TaskHandler, Tasks } from './run.ts';
export type WorkerOptions = RunOptions;

export type Worker = {
  /** True while the worker takes jobs. */
  readonly isWorking: boolean;
  /** Takes no more jobs, waits for the running ones up to `graceMs`, returns the rest to the queue. */
  stop(graceMs: number): Promise<void>;
};

/** After the library's worker ended: soon, but not in a tight loop while the database is away. */
const RESTART_AFTER_MS = 1_000;

/** The library's own files, in the stack of an error. */
const LIBRARY = /[\\/]graphile-worker[\\/]/;

/** Starts the worker and restarts it whenever it ends by itself, as the library's does when it loses the database. */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  // Some promises of the library reject where nothing listens when its sessions end in the middle of their work.
  claimStrayErrors((error) => {
    if (!(error instanceof Error && LIBRARY.test(error.stack ?? ''))) return false;
    options.log.warn(
      { code: errorLabel(error) },
      'the queue’s library failed outside of its calls; its run starts anew',
    );
    run?.abandon();
    return true;
  });
  const ended = new Set<string>();
  let run: Run | null = null;
  run = await startRun(options, ended);
  const stopping = Promise.withResolvers<void>();
  let isStopped = false;

  async function keepRunning(): Promise<void> {
    while (!isStopped) {
      await run?.finished;
      // Once `stop` was called, it stops the run, with the time that its caller allows.
      if (isStopped) return;
      await run?.stop(0);
      if (run) ended.add(run.id);
      run = null;
      await Promise.race([stopping.promise, sleep(RESTART_AFTER_MS)]);
      if (!isStopped) run = await startRun(options, ended).catch(logFailure);
    }
    await run?.stop(0);
  }
  function logFailure(error: unknown): null {
    options.log.error({ code: errorLabel(error) }, 'worker start failed, retrying');
    return null;
  }

  const kept = keepRunning();
  return {
    get isWorking() {
      return !isStopped && (run?.isTakingJobs() ?? false);
    },
    async stop(graceMs) {
      isStopped = true;
      stopping.resolve();
      // Between two runs, a run that is starting is stopped by the loop.
      await (run ? run.stop(graceMs) : kept);
    },
  };
}
