import type { Log } from '../kernel/log.ts';

/** npm passes on the signal that the terminal sends us too: a repeat this soon is the same wish, not a second one. */
const REPEAT_WITHIN_MS = 1_000;
/** Past this a shutdown that hangs is cut off; orchestrators kill at 30 s. */
const HARD_LIMIT_MS = 25_000;

/**
 * Runs `stop` once on SIGINT or SIGTERM and ends the process; a second signal ends it at once. What it was about to finish
 * is safe either way: the database holds the state, and the next start goes on from there.
 */
export function onShutdown(log: Log, stop: () => Promise<void>): (reason: string) => void {
  let startedAt: number | undefined;
  const begin = (reason: string, exitCode = 0) => {
    if (startedAt !== undefined) {
      if (performance.now() - startedAt > REPEAT_WITHIN_MS) process.exit(1);
      return;
    }
    startedAt = performance.now();
    log.info({ reason }, 'shutting down');
    setTimeout(() => {
      log.error({ limit_ms: HARD_LIMIT_MS }, 'the shutdown took too long and was cut off');
      process.exit(1);
    }, HARD_LIMIT_MS);
    stop().then(
      () => process.exit(exitCode),
      (error) => {
        log.error({ error: error instanceof Error ? error.name : 'unknown' }, 'the shutdown failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', () => begin('SIGINT'));
  process.on('SIGTERM', () => begin('SIGTERM'));
  return (reason) => begin(reason, 1);
}
