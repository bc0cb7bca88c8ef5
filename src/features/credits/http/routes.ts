import { createRoute, type z } from '@hono/zod-openapi';
import type { Api, Guards } from '../../../http/api.ts';
import { callerId } from '../../../http/caller.ts';
import { EXAMPLE_IDS, responses, USER_ERRORS, USER_ID_PARAMETER } from '../../../http/openapi.ts';
import { encodeCursor } from '../../../kernel/cursor.ts';
import type { Context } from '../../context.ts';
import { readBalance } from '../balance.ts';
import { readHistory } from '../history.ts';
import { Balance, HistoryQuery, Transactions } from './schemas.ts';

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

export function creditRoutes(api: Api, ctx: Context, guards: Guards): void {
  api.openapi(
    createRoute({
      method: 'get',
      path: '/functions/v1/get-user-credits',
      tags: ['Credits'],
      operationId: 'getUserCredits',
      summary: 'How many credits there are to spend',
      description: 'Never from a cache. `job-events` tells when it changes.',
      security: [{ bearer: [] }],
      parameters: [USER_ID_PARAMETER],
      middleware: guards.user,
      responses: responses(Balance, {
        description: 'The balance',
        example: { credits_remaining: 9 },
        headers: ['RateLimit', 'RateLimitPolicy'],
        errors: USER_ERRORS,
        details: { ERR_4006: { field: 'user_id' } },
      }),
    }),
    async (c) => c.json({ credits_remaining: await readBalance(ctx, callerId(c)) }, 200),
  );

  api.openapi(
    createRoute({
      method: 'get',
      path: '/functions/v1/get-credit-history',
      tags: ['Credits'],
      operationId: 'getCreditHistory',
      summary: 'Every change of the balance, newest first',
      description: 'Rows are only ever added. A page costs the same however far back it lies: follow `next_cursor`.',
      security: [{ bearer: [] }],
      middleware: guards.user,
      request: { query: HistoryQuery },
      responses: responses(Transactions, {
        description: 'A page of the ledger',
        example: EXAMPLE_PAGE,
        headers: ['RateLimit', 'RateLimitPolicy'],
        errors: USER_ERRORS,
        details: { ERR_4006: { field: 'limit', allowed: { minimum: 1, maximum: 100 } } },
      }),
    }),
    async (c) => {
      const { limit, cursor } = c.req.valid('query');
      const page = await readHistory(ctx, callerId(c), { limit, afterSeq: cursor });
      return c.json(
        {
          transactions: page.transactions.map((row) => ({
            id: row.id,
            change: row.change,
            reason: row.reason,
            balance_after: row.balance_after,
            job_id: row.job_id,
            created_at: row.created_at.toISOString(),
          })),
          next_cursor: page.nextSeq === null ? null : encodeCursor(page.nextSeq),
        },
        200,
      );
    },
  );
}
