import { Problem } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';
import { storeProblem } from './store-problem.ts';

/** `siteUrl`: where the page that sells the credits is; Stripe's page leads back to it. */
export type CheckoutInput = {
  userId: string;
  productId: string;
  quantity: number;
  siteUrl: string;
  idempotencyKey: string | null;
};

/** Stripe takes no larger amount. */
const AMOUNT_MAX = 99_999_999;
const WAIT_MS = 20_000;

/**
 * Opens a page of the web shop's store at which the product can be paid. The credits come when the store says that it was paid.
 * Throws ERR_4006 for what is not sold there, ERR_4009 for a reused key, ERR_4017 without a web shop, ERR_5006 if the store is away.
 */
export async function createCheckout(
  ctx: Pick<Context, 'db' | 'log' | 'newUuid' | 'payments'>,
  input: CheckoutInput,
): Promise<{ url: string }> {
  if (!ctx.payments) throw new Problem('ERR_4017', { details: { feature: 'web-shop' } });
  const { userId, productId, quantity, siteUrl } = input;
  const product = await findProduct(ctx, productId);
  if (!product) throw new Problem('ERR_4006', { details: { field: 'product_id' } });
  if (product.priceCents * quantity > AMOUNT_MAX) throw new Problem('ERR_4006', { details: { field: 'quantity' } });
  const request = {
    ...product,
    userId,
    productId,
    quantity,
    successUrl: `${siteUrl}/?checkout=success`,
    cancelUrl: `${siteUrl}/?checkout=cancelled`,
    // All accounts share the store's keys.
    idempotencyKey: `${userId}:${input.idempotencyKey ?? ctx.newUuid()}`,
  };
  const answer = await ctx.payments.createCheckout(request, AbortSignal.timeout(WAIT_MS));
  switch (answer.outcome) {
    case 'created':
      return { url: answer.url };
    case 'key_reused':
      throw new Problem('ERR_4009', { details: { field: 'Idempotency-Key' } });
    case 'declined':
      ctx.log.error({ product_id: productId, cause: answer.cause }, 'Stripe does not sell this product');
      throw new Problem('ERR_4006', { details: { field: 'product_id' }, cause: answer.cause });
    default:
      throw await storeProblem(ctx, answer);
  }
}

async function findProduct({ db }: Pick<Context, 'db'>, productId: string) {
  const row = await db.read
    .selectFrom('products')
    .select(['display_name', 'web_price_cents', 'web_currency'])
    .where('product_id', '=', productId)
    .where('is_active', '=', true)
    .executeTakeFirst();
  if (!row || row.web_price_cents === null) return null;
  return { displayName: row.display_name, priceCents: row.web_price_cents, currency: row.web_currency };
}
