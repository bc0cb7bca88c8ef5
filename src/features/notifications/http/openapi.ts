/** The OpenAPI description of the event stream. */
import { z } from '@hono/zod-openapi';
import { credits, time } from '../../../http/api.ts';
import {
  EXAMPLE_IDS,
  errorResponses,
  headerParameter,
  LANGUAGE_PARAMETER,
  USER_ERRORS,
  USER_ID_PARAMETER,
} from '../../../http/openapi.ts';
import { headersOf } from '../../../http/openapi-headers.ts';
import { rawUserRoute } from '../../../http/route.ts';

const job = { job_id: z.uuid(), created_at: time };

const mediaUrl = (file: string) =>
  z
    .string()
    .nullable()
    .openapi({
      format: 'uri',
      description: `The URL of the ${file}, signed as the event is sent; null without one, or if the job was deleted since.`,
    });

const DATA = {
  queued: z.object({ ...job, status: z.literal('pending') }),
  processing: z.object({
    ...job,
    status: z.literal('processing'),
    progress: z.int().nullable().openapi({ description: 'In percent, if the provider reports it.' }),
    queue_position: z
      .int()
      .nullable()
      .openapi({ description: 'The number of jobs ahead of it at the provider, if the provider reports it.' }),
  }),
  completed: z.object({
    ...job,
    status: z.literal('completed'),
    video_url: mediaUrl('video'),
    thumbnail_url: mediaUrl('thumbnail'),
  }),
  failed: z.object({
    ...job,
    status: z.literal('failed'),
    error_code: z.string().openapi({ description: 'Why the job failed, such as `ERR_5003`.' }),
    error_message: z.string().openapi({ description: 'The reason as a message in the caller’s language.' }),
    refunded: credits('The refund'),
  }),
  credits: z.object({
    credits_remaining: credits('The balance after the change'),
    change: credits('The change: positive if gained, negative if spent'),
    reason: z.string().openapi({ description: 'The reason, as in `get-credit-history`.' }),
    transaction_id: z.uuid().openapi({ description: 'The `id` of the transaction in `get-credit-history`.' }),
    created_at: time,
  }),
};

const eventOf = <Name extends keyof typeof DATA>(event: Name) =>
  z.object({
    id: z.string().openapi({
      description:
        'Send the last one as `Last-Event-ID` to resume after it. It is `beginning` on the events that list the unfinished jobs ' +
        'at the start of a stream; a message with only an id follows them.',
    }),
    event: z.literal(event),
    data: DATA[event],
  });

/** One event of the stream: its `id`, `event` and `data` lines, with `data` parsed. */
const JobEvent = z
  .discriminatedUnion('event', [
    eventOf('queued'),
    eventOf('processing'),
    eventOf('completed'),
    eventOf('failed'),
    eventOf('credits'),
  ])
  .openapi('JobEvent', { description: 'One event of `job-events`: its lines by name, with `data` parsed as JSON.' });

const CREATED_AT = '"created_at":"2026-11-23T09:31:00.000Z"';
const JOB = `"job_id":"${EXAMPLE_IDS.job}"`;
const FILE = `${EXAMPLE_IDS.user}/2026-11/${EXAMPLE_IDS.job}`;
const SIGNED = 'token=1795516200.q0Zb3xw1mH8sY2dKcV7nR5tLgE9aJ4uP6iO0fXyZ1bQ';
const MEDIA = 'http://localhost:8787/storage/v1/object/sign';
const [VIDEO, THUMBNAIL] = [`${MEDIA}/videos/${FILE}.mp4?${SIGNED}`, `${MEDIA}/thumbnails/${FILE}.jpg?${SIGNED}`];
const URLS = `"video_url":"${VIDEO}","thumbnail_url":"${THUMBNAIL}"`;
const TRANSACTION = `"transaction_id":"${EXAMPLE_IDS.transaction}"`;
/** As it is sent. */
const STREAM = `retry: 3000

id: 40

id: 41
event: credits
data: {"credits_remaining":6,"change":-4,"reason":"video_generation",${TRANSACTION},${CREATED_AT}}

id: 42
event: queued
data: {${JOB},"status":"pending",${CREATED_AT}}

id: 43
event: processing
data: {${JOB},"status":"processing","progress":40,"queue_position":null,${CREATED_AT}}

id: 44
event: completed
data: {${JOB},"status":"completed",${URLS},${CREATED_AT}}
`;

const EXAMPLE: z.input<typeof JobEvent> = {
  id: '44',
  event: 'completed',
  data: {
    job_id: EXAMPLE_IDS.job,
    status: 'completed',
    video_url: VIDEO,
    thumbnail_url: THUMBNAIL,
    created_at: '2026-11-23T09:31:00.000Z',
  },
};

export const JOB_EVENTS = rawUserRoute({
  method: 'get',
  path: '/functions/v1/job-events',
  tags: ['Video jobs'],
  operationId: 'jobEvents',
  summary: 'Stream events of the caller’s jobs and balance',
  description:
    'Returns server-sent events, each a `JobEvent`: `queued`, `processing`, `completed`, `failed`, and `credits` when the ' +
    'balance changes. With `Last-Event-ID` the stream resumes after that event, without a gap or a repeat, for up to a day. ' +
    'Without it, or when the account has no such event any more, the stream begins with the unfinished jobs. A comment every ' +
    '15 seconds keeps the connection open. The stream ends when the access token expires, at once when the session is closed ' +
    'or the account is banned or deleted, and when the account opens more than five streams: the oldest ends. Browsers’ own ' +
    'EventSource cannot send a token: read the stream with `fetch`.',
  parameters: [
    headerParameter('Last-Event-ID', 'The id of the last event that the client has received.'),
    LANGUAGE_PARAMETER,
    USER_ID_PARAMETER,
  ],
  responses: {
    ...errorResponses(USER_ERRORS, { ERR_4006: { field: 'user_id' } }),
    200: {
      description: `The event stream. Each event is a \`JobEvent\`, whose \`data\` is sent as one line of JSON:\n\n\`\`\`\n${STREAM}\`\`\``,
      headers: headersOf(['RateLimit', 'RateLimitPolicy', 'CacheControl']),
      content: {
        // OpenAPI 3.1 has no keyword for the items of a stream: generators take the schema for that of an event.
        'text/event-stream': { schema: JobEvent, example: EXAMPLE },
      },
    },
  },
});
