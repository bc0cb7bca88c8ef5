import { allTasks, CRONTAB } from '../app/tasks.ts';
import { closePool, createPool } from '../db/pool.ts';
import { restrictedSession } from '../db/session.ts';
import { startSweeper } from '../features/generations/worker/sweep.ts';
import { startWatch, watchDatabase, watchTask } from '../features/maintenance/worker/watch.ts';
import { startWorker } from '../queue/worker.ts';
import type { Boot } from './boot.ts';

export type Work = { isWorking(): boolean; stop(graceMs: number): Promise<void> };

/** Starts the background work in this process: the queue's jobs and the sweeps. */
export async function startWork({ running, database, log }: Boot): Promise<Work> {
  const { ctx, concurrency } = running;
  // A separate pool of direct connections: the queue uses LISTEN, and its work must not use up the API's connections.
  const pool = createPool({
    url: database.directUrl,
    log,
    applicationName: 'rendio-queue',
    connectionsMax: concurrency + 2,
  });
  const worker = await startWorker({
    pool,
    connection: restrictedSession(database.directUrl, 'rendio-liveness'),
    tasks: allTasks(ctx),
    crontab: CRONTAB,
    log,
    concurrency,
    // No other process knows the URL of the embedded database.
    isOnlyWorker: database.embedded !== null,
    onFailure: (failure) => watchTask(ctx, failure),
  }).catch(async (error) => {
    await pool.end();
    throw error;
  });
  const sweeper = startSweeper(ctx);
  const watch = startWatch(ctx, () => watchDatabase(ctx));
  return {
    isWorking: () => worker.isWorking,
    async stop(graceMs) {
      await Promise.all([sweeper.stop(), watch.stop(), worker.stop(graceMs)]);
      await closePool(pool);
    },
  };
}
