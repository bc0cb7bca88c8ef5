import { getConnInfo } from '@hono/node-server/conninfo';
import { createMetricsHttp } from '../app/metrics-http.ts';
import type { Boot } from './boot.ts';
import { listenOn } from './listen.ts';
import { metricsAccess } from './metrics-access.ts';

/** Serves `/metrics` of a worker that runs alone on METRICS_PORT. `stop` closes the port. */
export async function serveWorkerMetrics(
  { config, running, log }: Boot,
  metricsPort: number,
): Promise<{ stop(): Promise<void> }> {
  const { host } = config.settings.server;
  const access = metricsAccess(config, (c) => getConnInfo(c).remote.address);
  const { fetch } = createMetricsHttp(running.ctx, access);
  const { port, drain } = await listenOn(fetch, { port: metricsPort, host, variable: 'METRICS_PORT' });
  log.info({ port }, 'metrics are served');
  return { stop: drain };
}
