import { z } from '@hono/zod-openapi';
import { credits, time, userIdCheck, userIdQuery } from '../../../http/api.ts';
import { cursor, limit } from '../../../http/paging.ts';
import { parseCreditCode } from '../../../kernel/credit-code.ts';

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

/** The longest code, written with a space after each character and some more around it. */
const CODE_TEXT_MAX = 100;

const code = z
  .string()
  .max(CODE_TEXT_MAX)
  .transform((text, issues) => {
    const parsed = parseCreditCode(text);
    if (parsed === null) issues.addIssue({ code: 'custom' });
    return parsed ?? z.NEVER;
  })
  .openapi({
    type: 'string',
    description: 'The code as the user typed it: 4 to 40 letters and digits. Case, dashes and spaces do not matter.',
    example: 'SUMMER-2026',
  });

export const RedeemBody = userIdCheck.extend({ code });

export const Redeemed = z
  .object({
    success: z.literal(true),
    credits_added: credits('What the code has added; 0 if this account had used it before'),
    credits_remaining: credits('The balance'),
  })
  .openapi('Redeemed');
