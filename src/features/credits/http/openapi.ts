import type { z } from '@hono/zod-openapi';
import { EXAMPLE_IDS, USER_ID_PARAMETER } from '../../../http/openapi.ts';
import { userRoute } from '../../../http/route.ts';
import { Balance, HistoryQuery, Transactions } from './schemas.ts';

const TAGS = ['Credits'];

const EXAMPLE_PAGE: z.input<typeof Transactions> = {
  transactions: [
    {
      id: 'd1f0c2a4-6b1e-4c0f-9b7a-0d2f3e4a5b6c',
      change: -1,
      reason: 'video_generation',
      balance_after: 9,
      job_id: EXAMPLE_IDS.job,
      created_at: '2026-11-23T09:31:00.000Z',
    },
    {
      id: 'a0b1c2d3-e4f5-4a6b-8c7d-9e0f1a2b3c4d',
      change: 10,
      reason: 'initial_grant',
      balance_after: 10,
      job_id: null,
      created_at: '2026-11-23T09:30:00.000Z',
    },
  ],
  next_cursor: null,
};

export const GET_CREDITS = userRoute({
  method: 'get',
  path: '/functions/v1/get-user-credits',
  tags: TAGS,
  operationId: 'getUserCredits',
  summary: 'Get the balance',
  description: 'Returns the caller’s balance, never from a cache. `job-events` reports when it changes.',
  parameters: [USER_ID_PARAMETER],
  answer: {
    schema: Balance,
    description: 'The balance',
    example: { credits_remaining: 9 },
    details: { ERR_4006: { field: 'user_id' } },
  },
});

export const GET_HISTORY = userRoute({
  method: 'get',
  path: '/functions/v1/get-credit-history',
  tags: TAGS,
  operationId: 'getCreditHistory',
  summary: 'List the changes of the balance',
  description:
    'Returns the caller’s ledger, newest first. Entries are only ever added. Follow `next_cursor`: every page costs the same, ' +
    'however far back it is.',
  request: { query: HistoryQuery },
  answer: {
    schema: Transactions,
    description: 'A page of the ledger',
    example: EXAMPLE_PAGE,
    details: { ERR_4006: { field: 'limit', allowed: { minimum: 1, maximum: 100 } } },
  },
});
