import { EXAMPLE_IDS, headerParameter, jsonContent } from '../../../http/openapi.ts';
import { adminRoute, publicRoute } from '../../../http/route.ts';
import {
  AdminSession,
  CurrentAdmin,
  Deliveries,
  DeliveriesQuery,
  NewBalance,
  OpenSessionBody,
  RefundBody,
  ReplayBody,
  Success,
} from './schemas.ts';

export const ADMIN_TAGS = ['Admin'];

/** For every change. */
export const IDEMPOTENCY_PARAMETER = headerParameter(
  'Idempotency-Key',
  'A UUID that the client creates, with or without double quotes. With it, a repeat returns the first response.',
  { format: 'uuid' },
);

const OPENED = {
  access_token: 'eyJhbGciOiJFUzI1NiJ9…',
  token_type: 'bearer' as const,
  expires_at: '2026-11-23T10:30:00.000Z',
  email: 'ada@example.com',
};

export const OPEN_SESSION = publicRoute({
  method: 'post',
  path: '/functions/v1/admin-open-session',
  tags: ADMIN_TAGS,
  operationId: 'adminOpenSession',
  summary: 'Sign in by a one-time link',
  description:
    'Uses up a link that `npm run admin -- link <email>` has made, within its 15 minutes, and opens a session of an hour. The ' +
    'link itself leads to a page: to open it, as mail scanners do, uses up nothing.',
  request: { body: jsonContent(OpenSessionBody, { link: { summary: 'A link’s token', value: { token: 'pX2v…' } } }) },
  answer: {
    schema: AdminSession,
    description: 'The session',
    example: OPENED,
    errors: ['ERR_4005', 'ERR_4004'],
    details: { ERR_4006: { field: 'token', reason: 'missing' } },
  },
});

export const GET_SESSION = adminRoute({
  method: 'get',
  path: '/functions/v1/admin-session',
  tags: ADMIN_TAGS,
  operationId: 'adminSession',
  summary: 'Get the administrator’s own session',
  description: 'Says who is signed in, and until when.',
  answer: {
    schema: CurrentAdmin,
    description: 'The session',
    example: { email: OPENED.email, expires_at: OPENED.expires_at },
  },
});

export const END_SESSION = adminRoute({
  method: 'post',
  path: '/functions/v1/admin-end-session',
  tags: ADMIN_TAGS,
  operationId: 'adminEndSession',
  summary: 'Sign out',
  description: 'Ends the session of the access token at once.',
  answer: { schema: Success, description: 'The session has ended', example: { success: true } },
});

export const REFUND_CREDITS = adminRoute({
  method: 'post',
  path: '/functions/v1/admin-refund-credits',
  tags: ADMIN_TAGS,
  operationId: 'adminRefundCredits',
  summary: 'Give an account credits back',
  description: 'Adds credits with the reason `admin_refund`. `credits_total` stays.',
  parameters: [IDEMPOTENCY_PARAMETER],
  request: {
    body: jsonContent(RefundBody, {
      refund: {
        summary: 'Four credits for a video that was unusable',
        value: { user_id: EXAMPLE_IDS.user, amount: 4, reason: 'The video was unusable.' },
      },
    }),
  },
  answer: {
    schema: NewBalance,
    description: 'The balance after the change',
    example: { success: true, new_balance: 14 },
    headers: ['IdempotentReplay'],
    errors: ['ERR_4007', 'ERR_4009'],
    details: { ERR_4006: { field: 'amount', allowed: { minimum: 1, maximum: 10_000 } } },
  },
});

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
  summary: 'Send an outgoing webhook again',
  description:
    'Sends it with the same `webhook-id`, also one that was delivered, and with all attempts. If the receiver had stopped the ' +
    'sending by a 410, it goes on.',
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
