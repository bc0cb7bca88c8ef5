import { z } from '@hono/zod-openapi';
import { time, uuid } from '../../../http/api.ts';
import { listCursor } from '../../../http/listing.ts';
import { limit } from '../../../http/paging.ts';
import { DELIVERY_STATES, DELIVERY_TYPES } from '../deliveries.ts';

/** A link's token has 43 characters; a longer text is none. */
const LINK_TOKEN_MAX = 200;

export const OpenSessionBody = z.object({
  token: z.string().min(1).max(LINK_TOKEN_MAX).openapi({ description: 'What stands behind `#link=` in the link.' }),
});

export const AdminSession = z
  .object({
    access_token: z.string().openapi({ description: 'For admin endpoints alone. Lasts an hour and is not renewed.' }),
    token_type: z.literal('bearer'),
    expires_at: time,
    email: z.string().openapi({ description: 'The administrator’s e-mail address.' }),
  })
  .openapi('AdminSession');

export const CurrentAdmin = z.object({ email: z.string(), expires_at: time });

export const Success = z.object({ success: z.literal(true) });

/** Why an administrator changed something; kept with the change. */
export const reason = z
  .string()
  .trim()
  .min(3)
  .max(500)
  .openapi({ type: 'string', minLength: 3, maxLength: 500, description: 'Why; kept with the change.' });

export const CREDITS_OF_CHANGE_MAX = 10_000;

export const RefundBody = z.object({
  user_id: uuid,
  amount: z.int().min(1).max(CREDITS_OF_CHANGE_MAX).openapi({ description: 'Credits to give back.' }),
  reason,
});

export const NewBalance = z
  .object({ success: z.literal(true), new_balance: z.int().openapi({ description: 'The balance after the change.' }) })
  .openapi('NewBalance');

export const ReplayBody = z.object({
  delivery_id: uuid.openapi({ description: 'The delivery, which is the `webhook-id` of its requests.' }),
  reason,
});

const LIST_LIMIT_DEFAULT = 25;

export const DeliveriesQuery = z.object({
  limit: limit
    .unwrap()
    .default(LIST_LIMIT_DEFAULT)
    .openapi({
      ...{ type: 'integer', minimum: 1, maximum: 100, default: LIST_LIMIT_DEFAULT },
      description: 'The maximum number of items to return.',
    }),
  cursor: listCursor,
  state: z.enum(DELIVERY_STATES).optional().openapi({ description: 'Only deliveries in this state.' }),
  type: z.enum(DELIVERY_TYPES).optional().openapi({ description: 'Only events of this type.' }),
  user_id: uuid.optional().openapi({ description: 'Only events of this account.' }),
});

export const Deliveries = z
  .object({
    deliveries: z.array(
      z.object({
        id: z.string().openapi({ format: 'uuid', description: 'The `webhook-id` of its requests.' }),
        user_id: z.string().openapi({ format: 'uuid' }),
        type: z.enum(DELIVERY_TYPES),
        state: z.enum(DELIVERY_STATES),
        attempts: z.int(),
        last_status: z.int().nullable().openapi({ description: 'The receiver’s; null if it gave none.' }),
        last_error: z.string().nullable().openapi({ description: 'Why it gave none.' }),
        data: z.record(z.string(), z.unknown()).openapi({ description: 'The field `data` of its body.' }),
        created_at: time,
        last_attempt_at: time.nullable(),
        next_attempt_at: time.nullable().openapi({ description: 'Of a pending one.' }),
        delivered_at: time.nullable(),
      }),
    ),
    next_cursor: z.string().nullable(),
  })
  .openapi('Deliveries');
