/** `npm run worker`: background work alone, on the database that DATABASE_URL names. */
import { boot } from './boot.ts';
import { runMain } from './run.ts';
import { onShutdown } from './shutdown.ts';
import { startWork } from './work.ts';

/** No HTTP client waits for this process, so running jobs get more time than in the server. */
const WORK_GRACE_MS = 10_000;

await runMain(async () => {
  const booted = await boot({ env: process.env, canEmbed: false });
  try {
    const { metricsPort } = booted.config.settings.server;
    // Loaded where it is used: a worker needs nothing else of HTTP.
    const metrics = metricsPort
      ? await (await import('./worker-metrics.ts')).serveWorkerMetrics(booted, metricsPort)
      : null;
    const work = await startWork(booted);
    onShutdown(booted.log, async () => {
      booted.stopping.abort();
      await Promise.all([work.stop(WORK_GRACE_MS), metrics?.stop()]);
      await booted.close();
    });
    booted.log.info({}, 'worker started');
  } catch (error) {
    await booted.close();
    throw error;
  }
});
