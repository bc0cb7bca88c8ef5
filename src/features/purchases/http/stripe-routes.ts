/** The web shop: its checkout, and what its store reports. */
import { readBytes } from '../../../http/body.ts';
import { callerId } from '../../../http/caller.ts';
import { readIdempotencyKey } from '../../../http/idempotency.ts';
import { ownTurn } from '../../../http/own-turn.ts';
import type { Router } from '../../../http/route.ts';
import type { Context } from '../../context.ts';
import { createCheckout } from '../checkout.ts';
import { receiveStripeWebhook } from '../stripe-webhook.ts';
import { counted } from './counted.ts';
import { CREATE_CHECKOUT, STRIPE_WEBHOOK } from './stripe-openapi.ts';
import { EVENT_BYTES_MAX } from './stripe-schemas.ts';

export function stripeRoutes(
  router: Router,
  ctx: Pick<Context, 'db' | 'log' | 'newUuid' | 'payments' | 'policy'>,
): void {
  router.add({ ...CREATE_CHECKOUT, middleware: counted(ctx) }, async (c) => {
    const { product_id: productId, quantity } = c.req.valid('json');
    const userId = callerId(c);
    const idempotencyKey = readIdempotencyKey(c);
    const siteUrl = c.get('origin');
    return c.json(
      await createCheckout(ctx, { userId, productId, quantity: quantity ?? 1, siteUrl, idempotencyKey }),
      200,
    );
  });

  router.add(STRIPE_WEBHOOK, async (c) => {
    // The text that was signed, byte for byte: nothing else reads the body.
    const bytes = await readBytes(c.req.raw, EVENT_BYTES_MAX);
    // Whatever strangers send is hashed before it is refused.
    await ownTurn();
    const body = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
    await receiveStripeWebhook(ctx, { body, signature: c.req.header('Stripe-Signature') ?? null });
    return c.json({ success: true as const }, 200);
  });
}
