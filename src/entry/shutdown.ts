import type { Log } from '../kernel/log.ts';

/** npm forwards the signal that the terminal also sends to this process: a second one this soon is the same signal. */
const SAME_SIGNAL_MS = 1_000;
/** A shutdown that takes longer is cut off; orchestrators kill after 30 s. */
const HARD_LIMIT_MS = 25_000;

/**
 * Runs `stop` once on SIGINT or SIGTERM and ends the process; a second signal ends it at once. No work is lost either way:
 * the database holds the state, and the next start continues from there.
 */
export function onShutdown(log: Log, stop: () => Promise<void>): (reason: string) => void {
  let startedAt: number | undefined;
  const begin = (reason: string, exitCode = 0) => {
    if (startedAt !== undefined) {
      if (performance.now() - startedAt > SAME_SIGNAL_MS) process.exit(1);
      return;
    }
    startedAt = performance.now();
    log.info({ reason }, 'shutting down');
    setTimeout(() => {
      log.error({ limit_ms: HARD_LIMIT_MS }, 'shutdown timed out');
      process.exit(1);
    }, HARD_LIMIT_MS);
    stop().then(
      () => process.exit(exitCode),
      (error) => {
        log.error({ error: error instanceof Error ? error.name : 'unknown' }, 'shutdown failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', () => begin('SIGINT'));
  process.on('SIGTERM', () => begin('SIGTERM'));
  return (reason) => begin(reason, 1);
}
