import { allTasks, CRONTAB, startSweeper } from '../app/tasks.ts';
import { closePool, createPool, restrictedConnection } from '../db/pool.ts';
import { startWorker } from '../queue/worker.ts';
import type { Boot } from './boot.ts';

export type Work = { isWorking(): boolean; stop(graceMs: number): Promise<void> };

/** Takes up background work in this process: the queue's jobs and the sweeps. */
export async function startWork({ running, database, log }: Boot): Promise<Work> {
  const { ctx, concurrency: workPlaces } = running;
  // A pool of its own, unpooled at the far end: the queue listens, and its work must not starve the API's connections.
  const pool = createPool({
    url: database.directUrl,
    log,
    applicationName: 'rendio-queue',
    connectionsMax: workPlaces + 2,
  });
  const worker = await startWorker({
    pool,
    connection: restrictedConnection(database.directUrl, 'rendio-alive'),
    tasks: allTasks(ctx),
    crontab: CRONTAB,
    log,
    concurrency: workPlaces,
    // Nobody else is told the address of the embedded database.
    isOnlyWorker: database.embedded !== null,
  }).catch(async (error) => {
    await pool.end();
    throw error;
  });
  const sweeper = startSweeper(ctx);
  return {
    isWorking: () => worker.isWorking,
    async stop(graceMs) {
      await Promise.all([sweeper.stop(), worker.stop(graceMs)]);
      await closePool(pool);
    },
  };
}
