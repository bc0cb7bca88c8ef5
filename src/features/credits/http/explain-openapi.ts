import { z } from '@hono/zod-openapi';
import { credits, time, uuid } from '../../../http/api.ts';
import { listCursor } from '../../../http/listing.ts';
import { EXAMPLE_IDS } from '../../../http/openapi.ts';
import { adminRoute } from '../../../http/route.ts';

const ExplainQuery = z.object({
  user_id: uuid.openapi({ description: 'The account, or a guest that was merged into it.' }),
  cursor: listCursor.openapi({ description: 'A `next_cursor`: of the page before, or of a lot.' }),
});

const Movement = z.object({
  job_id: z.uuid().nullable(),
  change: credits('The change: negative if spent, positive if given back'),
  at: time,
});

const Lot = z.object({
  lot_id: z.uuid(),
  source: z.string().openapi({ description: 'The reason of the ledger row that opened the lot.' }),
  amount: credits('What the lot began with'),
  remaining: credits('What is left of it'),
  expires_at: time.nullable(),
  created_at: time,
  transaction_id: z.string().nullable(),
  movements: z.array(Movement).openapi({ description: 'The first ones, at most 1,000.' }),
  next_cursor: z.string().nullable().openapi({ description: 'Send it as `cursor` to get the lot’s next movements.' }),
});

const ExplainedBalance = z
  .object({
    user_id: z.uuid().openapi({ description: 'Of a merged guest’s id: the account that it was merged into.' }),
    balance: credits('The balance'),
    lots: z.array(Lot).openapi({ description: 'The oldest first, at most 100.' }),
    rules: z.array(z.object({ rule: z.string(), holds: z.boolean() })),
    next_cursor: z.string().nullable().openapi({ description: 'Send it as `cursor` to get the next lots.' }),
  })
  .openapi('AdminExplainedBalance');

const AT = '2026-11-23T09:30:00.000Z';

export const EXPLAIN_BALANCE = adminRoute({
  method: 'get',
  path: '/functions/v1/admin-explain-balance',
  tags: ['Admin'],
  operationId: 'adminExplainBalance',
  summary: 'Explain a balance',
  description:
    'Shows the lots that an account’s credits lie in, which generation took how many of them, and whether each rule of the money holds for the ' +
    'account. Of a lot, `amount` and its movements add up to `remaining`; what remains in all lots is the balance, or nothing while that is a debt.',
  request: { query: ExplainQuery },
  answer: {
    schema: ExplainedBalance,
    description: 'The balance, its lots and the rules',
    example: {
      user_id: EXAMPLE_IDS.user,
      balance: 6,
      lots: [
        {
          lot_id: EXAMPLE_IDS.transaction,
          source: 'initial_grant',
          amount: 10,
          remaining: 6,
          expires_at: null,
          created_at: AT,
          transaction_id: null,
          movements: [{ job_id: EXAMPLE_IDS.job, change: -4, at: '2026-11-23T09:31:00.000Z' }],
          next_cursor: null,
        },
      ],
      rules: [{ rule: 'a balance equals the sum of its ledger rows', holds: true }],
      next_cursor: null,
    },
    errors: ['ERR_4007'],
    details: { ERR_4006: { field: 'user_id' } },
  },
});
