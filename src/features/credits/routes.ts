import { createRoute } from '@hono/zod-openapi';
import { type Api, type Guards, responses, USER_ERRORS } from '../../http/api.ts';
import { callerId } from '../../http/caller.ts';
import { encodeCursor } from '../../kernel/cursor.ts';
import type { Context } from '../context.ts';
import { readBalance } from './balance.ts';
import { readHistory } from './history.ts';
import { Balance, HistoryQuery, Transactions } from './wire.ts';

export function creditRoutes(api: Api, ctx: Context, guards: Guards): void {
  api.openapi(
    createRoute({
      method: 'get',
      path: '/functions/v1/get-user-credits',
      tags: ['Credits'],
      summary: 'How many credits there are to spend',
      security: [{ bearer: [] }],
      middleware: guards.user,
      responses: responses(Balance, 'The balance', USER_ERRORS),
    }),
    async (c) => c.json({ credits_remaining: await readBalance(ctx, callerId(c)) }, 200),
  );

  api.openapi(
    createRoute({
      method: 'get',
      path: '/functions/v1/get-credit-history',
      tags: ['Credits'],
      summary: 'Every change of the balance, newest first',
      security: [{ bearer: [] }],
      middleware: guards.user,
      request: { query: HistoryQuery },
      responses: responses(Transactions, 'A page of the ledger', [...USER_ERRORS, 'ERR_4006']),
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
