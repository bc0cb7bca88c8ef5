import type { Context } from '../features/context.ts';
import { sweepGenerations } from '../features/generations/sweep.ts';
import { generationTasks } from '../features/generations/tasks.ts';
import { MAINTENANCE_CRONTAB, maintenanceTasks } from '../features/maintenance/tasks.ts';
import type { Tasks } from '../queue/worker.ts';

/** Everything that the worker can do. */
export function allTasks(ctx: Context): Tasks {
  return { ...generationTasks(ctx), ...maintenanceTasks(ctx) };
}

export const CRONTAB = MAINTENANCE_CRONTAB;

/** Deadlines are kept to within this. */
const SWEEP_EVERY_MS = 5_000;

/** Sweeps on and on until stopped; a sweep that fails is only a sweep missed. */
export function startSweeper(ctx: Context): { stop(): Promise<void> } {
  let running: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    running = running
      .then(() => sweepGenerations(ctx))
      .then((done) => {
        if (done.expired + done.requeued > 0) ctx.log.warn(done, 'swept up stray generations');
      })
      .catch((error) => ctx.log.warn({ error: error instanceof Error ? error.name : 'unknown' }, 'a sweep failed'));
  }, SWEEP_EVERY_MS);
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
