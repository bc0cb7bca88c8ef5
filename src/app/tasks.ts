import type { Context } from '../features/context.ts';
import { sweepGenerations } from '../features/generations/worker/sweep.ts';
import { generationTasks } from '../features/generations/worker/tasks.ts';
import { MAINTENANCE_CRONTAB, maintenanceTasks } from '../features/maintenance/worker/tasks.ts';
import { STORAGE_CRONTAB, storageTasks } from '../features/storage/worker/tasks.ts';
import { sleep } from '../kernel/sleep.ts';
import type { Tasks } from '../queue/worker.ts';

/** Everything that the worker can do. */
export function allTasks(ctx: Context): Tasks {
  return { ...generationTasks(ctx), ...maintenanceTasks(ctx), ...storageTasks(ctx) };
}

export const CRONTAB = [MAINTENANCE_CRONTAB, STORAGE_CRONTAB].join('\n');

/** Deadlines are kept to within this. */
const SWEEP_EVERY_MS = 5_000;

/** Sweeps on and on until stopped, one sweep at a time; one that fails is only a sweep missed. */
export function startSweeper(
  ctx: Pick<Context, 'clock' | 'db' | 'log'>,
  everyMs = SWEEP_EVERY_MS,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const rest = () => sleep(everyMs, stopping.signal);
  const sweeping = (async () => {
    for (await rest(); !stopping.signal.aborted; await rest()) await sweep(ctx);
  })();
  return {
    stop() {
      stopping.abort();
      return sweeping;
    },
  };
}

async function sweep(ctx: Pick<Context, 'clock' | 'db' | 'log'>): Promise<void> {
  try {
    const done = await sweepGenerations(ctx);
    if (done.expired + done.requeued > 0) ctx.log.warn(done, 'swept up stray generations');
  } catch (error) {
    ctx.log.warn({ error: error instanceof Error ? error.name : 'unknown' }, 'a sweep failed');
  }
}
