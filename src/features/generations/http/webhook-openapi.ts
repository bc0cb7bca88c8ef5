/** The request bodies of `webhook-delivery` and its description in the OpenAPI document. */
import { z } from '@hono/zod-openapi';
import { EXAMPLE_IDS, headerParameter, jsonContent } from '../../../http/openapi.ts';
import { publicRoute } from '../../../http/route.ts';
import { WEBHOOK_PATH } from '../callback-url.ts';

const text = (max: number) => z.string().min(1).max(max);
const unused = 'Not used: the server asks the provider instead.';

/** The generic form. Only the fields that identify the event and its job are read. */
export const SignedEventBody = z
  .object({
    id: text(200).nullish().openapi({
      description: 'Identifies the event, which is recorded once. Without it, the SHA-256 of the body does.',
    }),
    type: z.enum(['video.completed', 'video.failed']),
    data: z.object({
      provider: text(50).nullish(),
      provider_job_id: text(500),
      video_url: z.unknown().optional().openapi({ type: 'string', description: unused }),
      thumbnail_url: z.unknown().optional().openapi({ type: 'string', description: unused }),
      error: z.unknown().optional().openapi({ description: unused }),
    }),
  })
  .openapi('ProviderEvent');

/** The form that fal sends; fal's adapter reads it. */
const FalEvent = z
  .object({ request_id: z.string(), status: z.enum(['OK', 'ERROR']), payload: z.unknown() })
  .openapi('FalEvent');

const Received = z.object({ success: z.literal(true) }).openapi('Received');

const DESCRIPTION = `Receives webhooks of providers. Webhooks of fal (\`?provider=fal&job=<job_id>\`) are verified by fal’s Ed25519
scheme. Any other sender signs with \`WEBHOOK_SECRET\`: \`X-Webhook-Signature\` is the lower-case hex HMAC-SHA256 of the raw body
or, if \`X-Webhook-Timestamp\` (unix seconds, within five minutes) is sent, of \`<timestamp>.<raw body>\`.

An event is only a hint. It is recorded once and makes the worker poll the provider at once; what it says about the job is not
used. An event about an unknown job gets the same response.`;

const EXAMPLES = {
  generic: {
    summary: 'The generic form',
    value: {
      id: 'evt_1024',
      type: 'video.completed' as const,
      data: { provider: 'runway', provider_job_id: '17f20503-6c24-4c16-946b-35dbbce2af2f' },
    },
  },
  fal: {
    summary: 'The form of fal',
    value: {
      request_id: '764cabcf-b745-4b3e-ae38-1200304cf45b',
      status: 'OK' as const,
      payload: { video: { url: 'https://v3.fal.media/files/rabbit/output.mp4' } },
    },
  },
};

export const DELIVER_WEBHOOK = publicRoute({
  method: 'post',
  path: WEBHOOK_PATH,
  tags: ['Operations'],
  operationId: 'deliverWebhook',
  summary: 'Receive an event of a provider',
  description: DESCRIPTION,
  parameters: [
    headerParameter('X-Webhook-Signature', 'The signature of the generic form.'),
    headerParameter('X-Webhook-Timestamp', 'Unix seconds. If sent, it is part of the signed text.'),
  ],
  documents: {
    query: z.object({
      provider: z
        .string()
        .optional()
        .openapi({ description: '`fal` for the form of fal; anything else for the generic form.' }),
      job: z.string().optional().openapi({
        format: 'uuid',
        description: 'The id of our job, from the callback URL that the provider was given.',
        example: EXAMPLE_IDS.job,
      }),
    }),
    body: jsonContent(z.union([SignedEventBody, FalEvent]), EXAMPLES),
  },
  answer: {
    schema: Received,
    description: 'The event is accepted',
    example: { success: true },
    errors: ['ERR_4005', 'ERR_4006', 'ERR_4014'],
    details: { ERR_4005: { reason: 'signature' }, ERR_4006: { field: 'data.provider_job_id', reason: 'missing' } },
  },
});
