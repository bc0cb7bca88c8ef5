import type { Router } from '../../../http/route.ts';
import type { Context } from '../../context.ts';
import { readReadiness } from '../ready.ts';
import { GET_HEALTH, GET_READINESS } from './openapi.ts';

/** `isWorking` returns null if the worker is another process. */
export function maintenanceRoutes(
  router: Router,
  ctx: Pick<Context, 'db' | 'latestMigration' | 'stopping'>,
  isWorking: () => boolean | null,
): void {
  router.add(GET_HEALTH, (c) => c.json({ status: 'ok' }, 200));
  router.add(GET_READINESS, async (c) => {
    const { ready, checks } = await readReadiness(ctx, isWorking);
    return c.json({ status: ready ? 'ready' : 'not ready', checks }, ready ? 200 : 503);
  });
}
