import type { Context } from '../features/context.ts';
import { sweepGenerations } from '../features/generations/worker/sweep.ts';
import { generationTasks } from '../features/generations/worker/tasks.ts';
import { MAINTENANCE_CRONTAB, maintenanceTasks } from '../features/maintenance/worker/tasks.ts';
import { STORAGE_CRONTAB, storageTasks } from '../features/storage/worker/tasks.ts';
import { sleep } from '../kernel/sleep.ts';
import type { Tasks } from '../queue/worker.ts';

/** The task handlers of all slices. */
export function allTasks(ctx: Context): Tasks {
  return { ...generationTasks(ctx), ...maintenanceTasks(ctx), ...storageTasks(ctx) };
}

export const CRONTAB = [MAINTENANCE_CRONTAB, STORAGE_CRONTAB].join('\n');

/** A job that is past its deadline fails within this time. */
const SWEEP_EVERY_MS = 5_000;

/** Sweeps repeatedly until stopped, one sweep at a time. A sweep that fails is logged, and the next one runs as usual. */
export function startSweeper(ctx: Pick<Context, 'db' | 'log'>, everyMs = SWEEP_EVERY_MS): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const wait = () => sleep(everyMs, stopping.signal);
  const sweeping = (async () => {
    for (await wait(); !stopping.signal.aborted; await wait()) await sweep(ctx);
  })();
  return {
    stop() {
      stopping.abort();
      return sweeping;
    },
  };
}

async function sweep(ctx: Pick<Context, 'db' | 'log'>): Promise<void> {
  try {
    const done = await sweepGenerations(ctx);
    if (done.expired + done.requeued > 0) ctx.log.warn(done, 'sweep ended late generations or requeued jobs');
  } catch (error) {
    ctx.log.warn({ error: error instanceof Error ? error.name : 'unknown' }, 'a sweep failed');
  }
}
