import { z } from '@hono/zod-openapi';
import type { Api } from '../../http/api.ts';
import type { Context } from '../context.ts';
import { readReadiness } from './ready.ts';

const Health = z.object({ status: z.literal('ok') }).openapi('Health');
const Readiness = z
  .object({
    status: z.enum(['ready', 'not ready']),
    checks: z.object({ database: z.boolean(), migrations: z.boolean(), worker: z.boolean().nullable() }),
  })
  .openapi('Readiness');

/** `isWorking` is null where the worker is another process. */
export function maintenanceRoutes(api: Api, ctx: Context, isWorking: () => boolean | null): void {
  const json = (description: string, schema: z.ZodType) => ({
    description,
    content: { 'application/json': { schema } },
  });
  api.openAPIRegistry.registerPath({
    method: 'get',
    path: '/healthz',
    tags: ['Operations'],
    summary: 'Whether the process is up',
    responses: { 200: json('It is', Health) },
  });
  api.openAPIRegistry.registerPath({
    method: 'get',
    path: '/readyz',
    tags: ['Operations'],
    summary: 'Whether the server can do its work; `worker` is null where another process does it',
    responses: { 200: json('It can', Readiness), 503: json('Not now', Readiness) },
  });
  api.get('/healthz', (c) => c.json({ status: 'ok' }, 200));
  api.get('/readyz', async (c) => {
    const { ready, checks } = await readReadiness(ctx, isWorking);
    return c.json({ status: ready ? 'ready' : 'not ready', checks }, ready ? 200 : 503);
  });
}
