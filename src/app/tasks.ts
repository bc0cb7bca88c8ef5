import { setTimeout as wait } from 'node:timers/promises';
import type { Context } from '../features/context.ts';
import { sweepGenerations } from '../features/generations/sweep.ts';
import { generationTasks } from '../features/generations/tasks.ts';
import { MAINTENANCE_CRONTAB, maintenanceTasks } from '../features/maintenance/tasks.ts';
import { UPLOADS_CRONTAB, uploadTasks } from '../features/uploads/tasks.ts';
import type { Tasks } from '../queue/worker.ts';

/** Everything that the worker can do. */
export function allTasks(ctx: Context): Tasks {
  return { ...generationTasks(ctx), ...maintenanceTasks(ctx), ...uploadTasks(ctx) };
}

export const CRONTAB = [MAINTENANCE_CRONTAB, UPLOADS_CRONTAB].join('\n');

/** Deadlines are kept to within this. */
const SWEEP_EVERY_MS = 5_000;

/** Sweeps on and on until stopped, one sweep at a time; one that fails is only a sweep missed. */
export function startSweeper(ctx: Context, everyMs = SWEEP_EVERY_MS): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const pause = () => wait(everyMs, undefined, { signal: stopping.signal }).catch(() => {});
  const sweeping = (async () => {
    for (await pause(); !stopping.signal.aborted; await pause()) await sweep(ctx);
  })();
  return {
    stop() {
      stopping.abort();
      return sweeping;
    },
  };
}

async function sweep(ctx: Context): Promise<void> {
  try {
    const done = await sweepGenerations(ctx);
    if (done.expired + done.requeued > 0) ctx.log.warn(done, 'swept up stray generations');
  } catch (error) {
    ctx.log.warn({ error: error instanceof Error ? error.name : 'unknown' }, 'a sweep failed');
  }
}
