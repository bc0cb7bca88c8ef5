import { z } from '@hono/zod-openapi';
import { headersOf } from '../../../http/openapi-headers.ts';
import { rawPublicRoute } from '../../../http/route.ts';

const Health = z.object({ status: z.literal('ok') }).openapi('Health');
const Readiness = z
  .object({
    status: z.enum(['ready', 'not ready']),
    checks: z.object({ database: z.boolean(), migrations: z.boolean(), worker: z.boolean().nullable() }),
  })
  .openapi('Readiness');

const ALL_WELL = { database: true, migrations: true, worker: true };

function json<Schema extends z.ZodType>(description: string, schema: Schema, example: z.input<Schema>) {
  return { description, headers: headersOf([]), content: { 'application/json': { schema, example } } };
}

export const GET_HEALTH = rawPublicRoute({
  method: 'get',
  path: '/healthz',
  tags: ['Operations'],
  operationId: 'getHealth',
  summary: 'Whether the process is up',
  description: 'Asks nothing of the database: for a supervisor that restarts processes which do not answer.',
  responses: { 200: json('It is', Health, { status: 'ok' }) },
});

export const GET_READINESS = rawPublicRoute({
  method: 'get',
  path: '/readyz',
  tags: ['Operations'],
  operationId: 'getReadiness',
  summary: 'Whether the server can do its work',
  description: 'For a load balancer. `worker` is null where another process does the background work.',
  responses: {
    200: json('It can', Readiness, { status: 'ready', checks: ALL_WELL }),
    503: json('Not now: the check that is false says why', Readiness, {
      status: 'not ready',
      checks: { ...ALL_WELL, database: false },
    }),
  },
});
