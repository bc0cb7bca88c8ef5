import { z } from '@hono/zod-openapi';
import { credits, time, userIdQuery } from '../../../http/api.ts';
import { cursor, limit } from '../../../http/paging.ts';

export const Balance = z.object({ credits_remaining: credits('The balance') }).openapi('Balance');

export const HistoryQuery = userIdQuery.extend({ limit, cursor });

export const Transactions = z
  .object({
    transactions: z.array(
      z.object({
        id: z.uuid(),
        change: credits('The change: positive if gained, negative if spent'),
        reason: z.string().openapi({
          description:
            'Such as `initial_grant`, `video_generation` or `generation_failed_refund`. New reasons may be added, such as for ' +
            'purchases and corrections.',
        }),
        balance_after: credits('The balance after the change'),
        job_id: z.uuid().nullable().openapi({ description: 'The job that was paid for or refunded, if any.' }),
        created_at: time,
      }),
    ),
    next_cursor: z
      .string()
      .nullable()
      .openapi({ description: 'Send it as `cursor` to get the next page; null on the last page.' }),
  })
  .openapi('Transactions');
