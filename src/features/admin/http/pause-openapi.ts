import { z } from '@hono/zod-openapi';
import { jsonContent } from '../../../http/openapi.ts';
import { adminRoute } from '../../../http/route.ts';
import { ADMIN_TAGS, IDEMPOTENCY_PARAMETER } from './openapi.ts';
import { reason, Success } from './schemas.ts';

const PauseBody = z.object({
  is_paused: z.boolean().openapi({ description: '`true` stops the sale of videos, `false` goes on with it.' }),
  reason,
});

export const PAUSE = adminRoute({
  method: 'post',
  path: '/functions/v1/admin-pause',
  tags: ADMIN_TAGS,
  operationId: 'adminPause',
  summary: 'Stop the sale of videos, or go on with it',
  description:
    'While it is stopped, `generate-video` returns a 503 `ERR_4019` with `Retry-After` and charges nothing; a repeat of a request ' +
    'that was paid for still gets its response. Videos that were paid for are finished, and purchases are credited.',
  parameters: [IDEMPOTENCY_PARAMETER],
  request: {
    body: jsonContent(PauseBody, {
      pause: { summary: 'Stop', value: { is_paused: true, reason: 'A provider bills twice.' } },
      resume: { summary: 'Go on', value: { is_paused: false, reason: 'The provider has mended it.' } },
    }),
  },
  answer: {
    schema: Success,
    description: 'It is stopped, or goes on',
    example: { success: true },
    headers: ['IdempotentReplay'],
    errors: ['ERR_4009'],
    details: { ERR_4006: { field: 'is_paused', reason: 'missing' } },
  },
});
