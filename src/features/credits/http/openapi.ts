import type { z } from '@hono/zod-openapi';
import { EXAMPLE_IDS, headerParameter, jsonContent, USER_ID_PARAMETER } from '../../../http/openapi.ts';
import { userRoute } from '../../../http/route.ts';
import { Balance, HistoryQuery, RedeemBody, Redeemed, Transactions } from './schemas.ts';

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

export const REDEEM_CODE = userRoute({
  method: 'post',
  path: '/functions/v1/redeem-code',
  tags: TAGS,
  operationId: 'redeemCode',
  summary: 'Redeem a code for credits',
  description:
    'Adds the credits of a code, such as one from a campaign or from support. An account can use a code once: the same code ' +
    'again adds 0 credits, so an app may simply repeat a request that got no response. A code that is unknown, expired or used ' +
    'up returns the same 400, whichever it is. Only a few of those are answered per hour, for an account and for an IP address: ' +
    'beyond them, 429. `RateLimit` shows how many are left. With an `Idempotency-Key`, a repeat returns the first response.',
  parameters: [
    headerParameter(
      'Idempotency-Key',
      'A UUID that the client creates, with or without double quotes. With it, a repeat returns the first response.',
      { format: 'uuid' },
    ),
  ],
  request: {
    body: jsonContent(RedeemBody, { code: { summary: 'A code as the user typed it', value: { code: 'summer-2026' } } }),
  },
  answer: {
    schema: Redeemed,
    description: 'The credits that were added, and the balance',
    example: { success: true, credits_added: 5, credits_remaining: 14 },
    otherExamples: {
      again: {
        summary: 'The same code again',
        value: { success: true, credits_added: 0, credits_remaining: 14 },
      },
    },
    headers: ['IdempotentReplay'],
    errors: ['ERR_4018', 'ERR_4009'],
    details: { ERR_4004: { retry_after: 1200, reason: 'code_guesses' }, ERR_4006: { field: 'code' } },
  },
});
