/**
 * Runs background jobs from the queue in PostgreSQL. A worker that is killed leaves its jobs locked for hours by the
 * library's own rules; here each worker also holds a session advisory lock, and every living worker frees the jobs of
 * those whose lock is gone.
 */

import { errorLabel } from '../kernel/error-code.ts';
import { pause } from '../kernel/pause.ts';
import { type Run, type RunOptions, startRun } from './run.ts';

export type { TaskHandler, Tasks } from './run.ts';
export type WorkerOptions = RunOptions;

export type Worker = {
  /** True while jobs are being taken. */
  readonly isWorking: boolean;
  /** Takes no more jobs, waits for the running ones up to `graceMs`, hands the rest back to the queue. */
  stop(graceMs: number): Promise<void>;
};

/** After the library's worker gave up: soon, but not in a tight loop while the database is away. */
const RESTART_AFTER_MS = 1_000;

/** Starts the worker and starts it anew whenever it ends by itself, as the library's does when it loses the database. */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const ended = new Set<string>();
  let run: Run | null = await startRun(options, ended);
  const stopping = Promise.withResolvers<void>();
  let isStopped = false;

  async function keepRunning(): Promise<void> {
    while (!isStopped) {
      await run?.finished;
      // Stopped, it is for the one who stopped it to say how long its jobs may take.
      if (isStopped) return;
      await run?.stop(0);
      if (run) ended.add(run.id);
      run = null;
      await Promise.race([stopping.promise, pause(RESTART_AFTER_MS)]);
      if (!isStopped) run = await startRun(options, ended).catch(tellFailure);
    }
    await run?.stop(0);
  }
  function tellFailure(error: unknown): null {
    options.log.error({ code: errorLabel(error) }, 'the worker could not start; trying again');
    return null;
  }

  const kept = keepRunning();
  return {
    get isWorking() {
      return !isStopped && (run?.isTaking() ?? false);
    },
    async stop(graceMs) {
      isStopped = true;
      stopping.resolve();
      // Between two runs, the one that may be on its way up ends itself.
      await (run ? run.stop(graceMs) : kept);
    },
  };
}
