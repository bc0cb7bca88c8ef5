import { z } from '@hono/zod-openapi';
import { time, userIdCheck } from '../../http/api.ts';
import { cursor, limit } from '../../http/paging.ts';

export const Balance = z.object({ credits_remaining: z.int() }).openapi('Balance');

export const HistoryQuery = userIdCheck.extend({ limit, cursor });

export const Transactions = z
  .object({
    transactions: z.array(
      z.object({
        id: z.uuid(),
        change: z.int().openapi({ description: 'Credits gained, or negative: spent.' }),
        reason: z.string(),
        balance_after: z.int(),
        job_id: z.uuid().nullable(),
        created_at: time,
      }),
    ),
    next_cursor: z.string().nullable(),
  })
  .openapi('Transactions');
