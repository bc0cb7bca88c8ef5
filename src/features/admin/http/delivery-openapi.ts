import { EXAMPLE_IDS, jsonContent } from '../../../http/openapi.ts';
import { adminRoute } from '../../../http/route.ts';
import { ADMIN_TAGS, IDEMPOTENCY_PARAMETER } from './openapi.ts';
import { Deliveries, DeliveriesQuery, ReplayBody, Success } from './schemas.ts';

export const GET_DELIVERIES = adminRoute({
  method: 'get',
  path: '/functions/v1/admin-deliveries',
  tags: ADMIN_TAGS,
  operationId: 'adminDeliveries',
  summary: 'List the outgoing webhooks',
  description:
    'Returns what the operator’s own server is told, newest first, of the last 30 days. A pending one that is due waits for its ' +
    'turn, or for a receiver that has said 410 or 429.',
  request: { query: DeliveriesQuery },
  answer: {
    schema: Deliveries,
    description: 'A page of the list',
    example: {
      deliveries: [
        {
          id: '5b0f3c1e-2d4a-4e6b-8f7a-1c2d3e4f5a6b',
          user_id: EXAMPLE_IDS.user,
          type: 'video.failed' as const,
          state: 'pending' as const,
          attempts: 1,
          last_status: 503,
          last_error: null,
          data: { user_id: EXAMPLE_IDS.user, job_id: EXAMPLE_IDS.job, error_code: 'ERR_5001', credits_refunded: 4 },
          created_at: '2026-11-23T09:31:00.000Z',
          last_attempt_at: '2026-11-23T09:31:00.000Z',
          next_attempt_at: '2026-11-23T09:31:05.000Z',
          delivered_at: null,
        },
      ],
      next_cursor: null,
    },
    details: { ERR_4006: { field: 'state', allowed: ['pending', 'delivered', 'failed'] } },
  },
});

export const REPLAY_DELIVERY = adminRoute({
  method: 'post',
  path: '/functions/v1/admin-replay-delivery',
  tags: ADMIN_TAGS,
  operationId: 'adminReplayDelivery',
  summary: 'Send an outgoing webhook or a push again',
  description:
    'Sends an outgoing webhook with the same `webhook-id`, also one that was delivered, and with all attempts. If the receiver had stopped the ' +
    'sending by a 410, it goes on. The id of a push sends that push again, with its own id at Apple, if the device still belongs to ' +
    'the account and the video is still there.',
  parameters: [IDEMPOTENCY_PARAMETER],
  request: {
    body: jsonContent(ReplayBody, {
      replay: {
        summary: 'After the receiver was repaired',
        value: { delivery_id: '5b0f3c1e-2d4a-4e6b-8f7a-1c2d3e4f5a6b', reason: 'The receiver was down.' },
      },
    }),
  },
  answer: {
    schema: Success,
    description: 'It is sent as soon as a worker has time',
    example: { success: true },
    headers: ['IdempotentReplay'],
    errors: ['ERR_4007', 'ERR_4009', 'ERR_4017'],
    details: { ERR_4006: { field: 'delivery_id' } },
  },
});
