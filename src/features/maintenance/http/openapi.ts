import { z } from '@hono/zod-openapi';
import { errorResponses } from '../../../http/openapi.ts';
import { headersOf } from '../../../http/openapi-headers.ts';
import { rawPublicRoute } from '../../../http/route.ts';

const Health = z.object({ status: z.literal('ok') }).openapi('Health');
const Readiness = z
  .object({
    status: z.enum(['ready', 'not ready']),
    checks: z.object({ database: z.boolean(), migrations: z.boolean(), worker: z.boolean().nullable() }),
  })
  .openapi('Readiness');

const METRICS_EXAMPLE = `# HELP rendio_purchases_total Purchases that this process credited (completed) or refused (failed).
# TYPE rendio_purchases_total counter
rendio_purchases_total{store="apple",outcome="completed"} 12
`;
const ALL_PASSED = { database: true, migrations: true, worker: true };

function json<Schema extends z.ZodType>(description: string, schema: Schema, example: z.input<Schema>) {
  return { description, headers: headersOf([]), content: { 'application/json': { schema, example } } };
}

export const GET_HEALTH = rawPublicRoute({
  method: 'get',
  path: '/healthz',
  tags: ['Operations'],
  operationId: 'getHealth',
  summary: 'Check that the process runs',
  description:
    'Returns 200 without a query to the database. For a supervisor that restarts processes that do not respond.',
  responses: { 200: json('The process runs', Health, { status: 'ok' }) },
});

export const GET_READINESS = rawPublicRoute({
  method: 'get',
  path: '/readyz',
  tags: ['Operations'],
  operationId: 'getReadiness',
  summary: 'Check that the server is ready',
  description:
    'Returns 200 if the database responds and is migrated and the worker runs, until the server begins to shut down. For a load ' +
    'balancer. `worker` is null if another process does the background work.',
  responses: {
    200: json('The server is ready', Readiness, { status: 'ready', checks: ALL_PASSED }),
    503: json('The server is not ready: at least one check is `false`, or it is shutting down', Readiness, {
      status: 'not ready',
      checks: { ...ALL_PASSED, database: false },
    }),
  },
});

export const GET_METRICS = rawPublicRoute({
  method: 'get',
  path: '/metrics',
  tags: ['Operations'],
  operationId: 'getMetrics',
  summary: 'Read the metrics',
  description:
    'For Prometheus. With `METRICS_TOKEN` set, send it as `Authorization: Bearer …`; without it, only requests from the server’s own ' +
    'machine are answered. What processes count themselves is added up over all of them. Figures of the database are the same from ' +
    'each process, so take their maximum; they are left out while the database does not respond.',
  responses: {
    ...errorResponses(['ERR_4005', 'ERR_4017'], { ERR_4005: {}, ERR_4017: { feature: 'metrics' } }),
    200: {
      description: 'The metrics of this process, in Prometheus’ text format',
      headers: headersOf([]),
      content: { 'text/plain': { schema: z.string(), example: METRICS_EXAMPLE } },
    },
  },
});
