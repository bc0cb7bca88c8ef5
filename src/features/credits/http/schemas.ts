import { z } from '@hono/zod-openapi';
import { credits, time, userIdCheck } from '../../../http/api.ts';
import { cursor, limit } from '../../../http/paging.ts';

export const Balance = z.object({ credits_remaining: credits('What there is to spend') }).openapi('Balance');

export const HistoryQuery = userIdCheck.extend({ limit, cursor });

export const Transactions = z
  .object({
    transactions: z.array(
      z.object({
        id: z.uuid(),
        change: credits('What was gained, or, where negative, spent'),
        reason: z.string().openapi({
          description:
            'Such as `initial_grant`, `video_generation` or `generation_failed_refund`; more follow with what there is to ' +
            'buy and to correct.',
        }),
        balance_after: credits('The balance once this had happened'),
        job_id: z.uuid().nullable().openapi({ description: 'The job that was paid for or refunded.' }),
        created_at: time,
      }),
    ),
    next_cursor: z
      .string()
      .nullable()
      .openapi({ description: 'Send it as `cursor` for the next page; null on the last.' }),
  })
  .openapi('Transactions');
