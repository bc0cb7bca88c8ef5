import { z } from '@hono/zod-openapi';
import { userIdCheck } from '../../../http/api.ts';
import { QUANTITY_MAX } from '../../../payments/port.ts';

export const CreateCheckoutBody = userIdCheck.extend({
  product_id: z
    .string()
    .min(1)
    .max(200)
    .openapi({ description: 'A product that has a price in the web shop.', example: 'com.rendio.credits.10' }),
  quantity: z.int().min(1).max(QUANTITY_MAX).nullish().openapi({ description: 'How many of it; 1 by default.' }),
});

export const Checkout = z
  .object({
    url: z.string().openapi({
      format: 'uri',
      description:
        'A page of Stripe’s, open for 24 hours. It leads back to this site with `?checkout=success` or `=cancelled`.',
    }),
  })
  .openapi('Checkout');

/** Many times an event about what is sold here, which has a few kilobytes. Strangers have each of these bytes hashed. */
export const EVENT_BYTES_MAX = 200_000;

/** The fields of an event that everyone sees; Stripe’s own reference has the rest. */
export const StripeEvent = z
  .object({ id: z.string(), type: z.string(), created: z.int(), data: z.object({ object: z.unknown() }) })
  .openapi('StripeEvent');
export const StripeReceived = z.object({ success: z.literal(true) }).openapi('StripeReceived');
