import type { Router } from '../../../http/route.ts';
import type { Context } from '../../context.ts';
import { readReadiness } from '../ready.ts';
import { type MetricsAccess, metricsRoutes } from './metrics-routes.ts';
import { GET_HEALTH, GET_READINESS } from './openapi.ts';

/** `isWorking` returns null if the worker is another process. */
export type MaintenanceOptions = { isWorking: () => boolean | null; metrics: MetricsAccess };

export function maintenanceRoutes(
  router: Router,
  ctx: Pick<Context, 'db' | 'exportMetrics' | 'latestMigration' | 'stopping'>,
  { isWorking, metrics }: MaintenanceOptions,
): void {
  router.add(GET_HEALTH, (c) => c.json({ status: 'ok' }, 200));
  router.add(GET_READINESS, async (c) => {
    const { ready, checks } = await readReadiness(ctx, isWorking);
    return c.json({ status: ready ? 'ready' : 'not ready', checks }, ready ? 200 : 503);
  });
  metricsRoutes(router, ctx, metrics);
}
