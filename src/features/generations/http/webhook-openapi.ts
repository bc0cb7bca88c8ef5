/** What `webhook-delivery` is sent, and how it is written into the OpenAPI document. */
import { z } from '@hono/zod-openapi';
import { EXAMPLE_IDS, headerParameter, jsonContent } from '../../../http/openapi.ts';
import { publicRoute } from '../../../http/route.ts';
import { WEBHOOK_PATH } from '../callback-url.ts';

const text = (max: number) => z.string().min(1).max(max);
const unused = 'Not used: the provider itself is asked.';

/** The generic form. Only what names the job is read. */
export const SignedEventBody = z
  .object({
    id: text(200)
      .nullish()
      .openapi({ description: 'The event is recorded once by it; else by the SHA-256 of the body.' }),
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

/** As fal sends it; its adapter reads it. */
const FalEvent = z
  .object({ request_id: z.string(), status: z.enum(['OK', 'ERROR']), payload: z.unknown() })
  .openapi('FalEvent');

const Received = z.object({ success: z.literal(true) }).openapi('Received');

const DESCRIPTION = `Callbacks of fal's (\`?provider=fal&job=<job_id>\`) are verified by its Ed25519 scheme. Any other sender signs with
\`WEBHOOK_SECRET\`: \`X-Webhook-Signature\` is the lower-case hex HMAC-SHA256 of the raw body or, where \`X-Webhook-Timestamp\` (unix
seconds, within five minutes) is sent, of \`<timestamp>.<raw body>\`.

An event is a hint. It is recorded once and makes the worker poll the provider at once; what it says about the job is not used.
An event about no job of this server gets the same answer.`;

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
    summary: 'As fal sends it',
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
  summary: 'For providers: something has happened to a job',
  description: DESCRIPTION,
  parameters: [
    headerParameter('X-Webhook-Signature', 'Of the generic form.'),
    headerParameter('X-Webhook-Timestamp', 'Unix seconds; part of what is signed where it is sent.'),
  ],
  documents: {
    query: z.object({
      provider: z.string().optional().openapi({ description: '`fal` for fal’s form; else the generic one.' }),
      job: z.string().optional().openapi({
        format: 'uuid',
        description: 'Our job, as the provider was told it.',
        example: EXAMPLE_IDS.job,
      }),
    }),
    body: jsonContent(z.union([SignedEventBody, FalEvent]), EXAMPLES),
  },
  answer: {
    schema: Received,
    description: 'Recorded, now or before',
    example: { success: true },
    errors: ['ERR_4005', 'ERR_4006', 'ERR_4014'],
    details: { ERR_4005: { reason: 'signature' }, ERR_4006: { field: 'data.provider_job_id', reason: 'missing' } },
  },
});
