import { sql } from 'kysely';
import type { Context } from '../context.ts';

export type Product = {
  product_id: string;
  display_name: string;
  /** What a purchase adds, the bonus included. */
  credits: number;
  /** Absent where there is no web shop, and for a product that it does not sell. */
  web_price?: { amount: number; currency: string };
};

/** Returns the products on sale, the smallest first. */
export async function listProducts(ctx: Pick<Context, 'db' | 'payments'>): Promise<Product[]> {
  const rows = await ctx.db.read
    .selectFrom('products')
    .select(['product_id', 'display_name', sql<number>`credits + bonus_credits`.as('credits')])
    .select(['web_price_cents', 'web_currency'])
    .where('is_active', '=', true)
    .orderBy(sql`credits + bonus_credits`)
    .orderBy('product_id')
    .execute();
  const { payments } = ctx;
  return rows.map(({ web_price_cents: cents, web_currency: currency, ...product }) =>
    payments && cents !== null
      ? { ...product, web_price: { amount: payments.priceOf(cents, currency), currency } }
      : product,
  );
}
