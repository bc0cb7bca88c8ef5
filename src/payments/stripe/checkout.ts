import { z } from 'zod';
import type { Clock } from '../../kernel/clock.ts';
import type { CheckoutRequest, Payments } from '../port.ts';
import { createClient, type StripeAccess } from './client.ts';
import { failureOf } from './failure.ts';
import { metadataOf } from './metadata.ts';

const Created = z.object({ url: z.url({ protocol: /^https?$/ }) });

/** Opens a page of Stripe's at which this one purchase can be paid. Nothing is credited before a webhook says that it was paid. */
export async function createCheckout(
  access: StripeAccess & { clock: Clock },
  request: CheckoutRequest,
  signal: AbortSignal,
): ReturnType<Payments['createCheckout']> {
  // On both: the event of a payment has the checkout's, a refund leads to the payment's.
  const metadata = metadataOf(request);
  const { currency, priceCents: unit_amount, displayName: name } = request;
  try {
    const stripe = await createClient(access, signal);
    const session = await stripe.checkout.sessions.create(
      {
        mode: 'payment',
        client_reference_id: request.userId,
        line_items: [{ quantity: request.quantity, price_data: { currency, unit_amount, product_data: { name } } }],
        metadata,
        payment_intent_data: { metadata },
        success_url: request.successUrl,
        cancel_url: request.cancelUrl,
      },
      { idempotencyKey: request.idempotencyKey },
    );
    return { outcome: 'created', url: Created.parse(session).url };
  } catch (error) {
    const failure = failureOf(error, access.clock);
    return failure.outcome === 'missing' ? { outcome: 'declined', cause: 'answered 404' } : failure;
  }
}
