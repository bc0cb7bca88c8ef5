/** How the event stream is written into the OpenAPI document. */
import { z } from '@hono/zod-openapi';
import { credits, time } from '../../../http/api.ts';
import {
  EXAMPLE_IDS,
  headerParameter,
  LANGUAGE_PARAMETER,
  refusals,
  USER_ERRORS,
  USER_ID_PARAMETER,
} from '../../../http/openapi.ts';
import { headersOf } from '../../../http/openapi-headers.ts';
import { rawUserRoute } from '../../../http/route.ts';

const job = { job_id: z.uuid(), created_at: time };

const DATA = {
  queued: z.object({ ...job, status: z.literal('pending') }),
  processing: z.object({
    ...job,
    status: z.literal('processing'),
    progress: z.int().nullable().openapi({ description: 'In percent, where the provider says.' }),
    queue_position: z
      .int()
      .nullable()
      .openapi({ description: 'How many jobs are before it at the provider, where the provider says.' }),
  }),
  completed: z.object({ ...job, status: z.literal('completed') }),
  failed: z.object({
    ...job,
    status: z.literal('failed'),
    error_code: z.string().openapi({ description: 'Such as `ERR_5003`.' }),
    error_message: z.string().openapi({ description: 'The same as a sentence, in the caller’s language.' }),
    refunded: credits('What was refunded'),
  }),
  credits: z.object({
    credits_remaining: credits('What there is to spend now'),
    change: credits('What was gained, or, where negative, spent'),
    reason: z.string().openapi({ description: 'As in `get-credit-history`.' }),
    transaction_id: z.uuid().openapi({ description: 'The `id` of the transaction in `get-credit-history`.' }),
    created_at: time,
  }),
};

const eventOf = <Name extends keyof typeof DATA>(event: Name) =>
  z.object({
    id: z.string().openapi({
      description:
        'Send the last one as `Last-Event-ID` to resume after it. `beginning` on the events that list the jobs under way when ' +
        'the stream began: a line with an id alone follows them.',
    }),
    event: z.literal(event),
    data: DATA[event],
  });

/** One message of the stream: its `id`, `event` and `data` lines, the last one parsed. */
export const JobEvent = z
  .discriminatedUnion('event', [
    eventOf('queued'),
    eventOf('processing'),
    eventOf('completed'),
    eventOf('failed'),
    eventOf('credits'),
  ])
  .openapi('JobEvent', { description: 'One message of `job-events`: its lines by name, `data` parsed as JSON.' });

const MOMENT = '"created_at":"2026-11-23T09:31:00.000Z"';
const JOB = `"job_id":"${EXAMPLE_IDS.job}"`;
const TRANSACTION = `"transaction_id":"${EXAMPLE_IDS.transaction}"`;
const EXAMPLE = `retry: 3000

id: 40

id: 41
event: credits
data: {"credits_remaining":6,"change":-4,"reason":"video_generation",${TRANSACTION},${MOMENT}}

id: 42
event: queued
data: {${JOB},"status":"pending",${MOMENT}}

id: 43
event: processing
data: {${JOB},"status":"processing","progress":40,"queue_position":null,${MOMENT}}

id: 44
event: completed
data: {${JOB},"status":"completed",${MOMENT}}

`;

export const JOB_EVENTS = rawUserRoute({
  method: 'get',
  path: '/functions/v1/job-events',
  tags: ['Video jobs'],
  operationId: 'jobEvents',
  summary: 'Events of the caller’s jobs and balance, as they happen',
  description:
    'Server-sent events, each a `JobEvent`: `queued`, `processing`, `completed`, `failed`, and `credits` when the balance ' +
    'changes. With `Last-Event-ID` the stream resumes after that event, without a gap or a repeat, for a day; without, ' +
    'it begins with the jobs that are under way. A comment every 15 seconds keeps the connection open. It ends with the ' +
    'access token. Browsers’ own EventSource cannot send a token: read the stream with `fetch`.',
  parameters: [
    headerParameter('Last-Event-ID', 'The id of the last event that the client has received.'),
    LANGUAGE_PARAMETER,
    USER_ID_PARAMETER,
  ],
  responses: {
    ...refusals(USER_ERRORS, { ERR_4006: { field: 'user_id' } }),
    200: {
      description: 'The stream',
      headers: headersOf(['RateLimit', 'RateLimitPolicy', 'CacheControl']),
      content: {
        'text/event-stream': {
          schema: { type: 'string', description: 'A stream of `JobEvent`.' },
          example: EXAMPLE,
        },
      },
    },
  },
});
