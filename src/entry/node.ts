/** `npm start`: database, API, worker and pages in one process. */
import { banner } from './banner.ts';
import { boot } from './boot.ts';
import { runMain } from './run.ts';
import { startServer } from './server.ts';
import { onShutdown } from './shutdown.ts';
import { startWork } from './work.ts';

/** Running jobs get this long to finish; longer ones go back to the queue. */
const WORK_GRACE_MS = 5_000;

await runMain(async () => {
  const startedAt = performance.now();
  const booted = await boot({ env: process.env, canEmbed: true });
  try {
    const work = booted.config.settings.server.worker ? await startWork(booted) : null;
    const server = await startServer(booted, work).catch(async (error) => {
      await work?.stop(WORK_GRACE_MS);
      throw error;
    });
    const shutDown = onShutdown(booted.log, async () => {
      booted.stopping.abort();
      await Promise.all([server.stop(), work?.stop(WORK_GRACE_MS)]);
      await booted.close();
    });
    booted.database.embedded?.exited.then(() => {
      if (!booted.stopping.signal.aborted) shutDown('the embedded PostgreSQL ended');
    });
    console.log(banner(booted, server.url, work !== null, performance.now() - startedAt));
  } catch (error) {
    await booted.close();
    throw error;
  }
});
