import type { Api } from '../../http/api.ts';
import type { Context } from '../context.ts';
import { readReadiness } from './ready.ts';

/** `isWorking` is null where the worker is another process. */
export function maintenanceRoutes(api: Api, ctx: Context, isWorking: () => boolean | null): void {
  api.get('/healthz', (c) => c.json({ status: 'ok' }, 200));
  api.get('/readyz', async (c) => {
    const { ready, checks } = await readReadiness(ctx, isWorking);
    return c.json({ status: ready ? 'ready' : 'not ready', checks }, ready ? 200 : 503);
  });
}
