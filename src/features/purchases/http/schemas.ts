import { z } from '@hono/zod-openapi';
import { credits, userIdCheck } from '../../../http/api.ts';

const optional = <Schema extends z.ZodType>(schema: Schema) => schema.nullish();

export const UpdateCreditsBody = userIdCheck
  .extend({
    transaction_id: optional(z.string().regex(/^[A-Za-z0-9._-]{1,64}$/)).openapi({
      description: 'The id of the transaction, as StoreKit shows it. The server asks the App Store about it.',
    }),
    signed_transaction: optional(z.string().min(1).max(50_000)).openapi({
      description:
        'The transaction as StoreKit 2 has signed it (`jwsRepresentation`). It is verified without a call to Apple.',
    }),
  })
  .openapi('UpdateCreditsRequest');

export const CreditedPurchase = z
  .object({
    success: z.literal(true),
    credits_added: credits('What this call has added: 0 when the purchase was credited before'),
    credits_remaining: credits('The balance'),
    total_credits: credits('The balance again, for older apps'),
  })
  .openapi('CreditedPurchase');

export const NotificationBody = z
  .object({ signedPayload: z.string().min(1).max(60_000) })
  .openapi('AppStoreServerNotification');

export const Done = z.object({ success: z.literal(true) });
