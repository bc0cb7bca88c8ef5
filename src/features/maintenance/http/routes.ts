import { z } from '@hono/zod-openapi';
import type { Api } from '../../../http/api.ts';
import { headersOf } from '../../../http/openapi-headers.ts';
import type { Context } from '../../context.ts';
import { readReadiness } from '../ready.ts';

const Health = z.object({ status: z.literal('ok') }).openapi('Health');
const Readiness = z
  .object({
    status: z.enum(['ready', 'not ready']),
    checks: z.object({ database: z.boolean(), migrations: z.boolean(), worker: z.boolean().nullable() }),
  })
  .openapi('Readiness');

/** `isWorking` is null where the worker is another process. */
export function maintenanceRoutes(api: Api, ctx: Context, isWorking: () => boolean | null): void {
  const json = <Schema extends z.ZodType>(description: string, schema: Schema, example: z.input<Schema>) => ({
    description,
    headers: headersOf([]),
    content: { 'application/json': { schema, example } },
  });
  const allWell = { database: true, migrations: true, worker: true };
  api.openAPIRegistry.registerPath({
    method: 'get',
    path: '/healthz',
    tags: ['Operations'],
    operationId: 'getHealth',
    summary: 'Whether the process is up',
    description: 'Asks nothing of the database: for whoever restarts what does not answer.',
    responses: { 200: json('It is', Health, { status: 'ok' }) },
  });
  api.openAPIRegistry.registerPath({
    method: 'get',
    path: '/readyz',
    tags: ['Operations'],
    operationId: 'getReadiness',
    summary: 'Whether the server can do its work',
    description: 'For whoever sends it traffic. `worker` is null where another process does the background work.',
    responses: {
      200: json('It can', Readiness, { status: 'ready', checks: allWell }),
      503: json('Not now: the check that is false says why', Readiness, {
        status: 'not ready',
        checks: { ...allWell, database: false },
      }),
    },
  });
  api.get('/healthz', (c) => c.json({ status: 'ok' }, 200));
  api.get('/readyz', async (c) => {
    const { ready, checks } = await readReadiness(ctx, isWorking);
    return c.json({ status: ready ? 'ready' : 'not ready', checks }, ready ? 200 : 503);
  });
}
