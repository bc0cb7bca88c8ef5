import { sql } from 'kysely';
import type { Context } from '../context.ts';

/** Returns the products on sale, the smallest first; `credits` is what a purchase adds, the bonus included. */
export async function listProducts(ctx: Pick<Context, 'db'>) {
  return ctx.db.read
    .selectFrom('products')
    .select(['product_id', 'display_name', sql<number>`credits + bonus_credits`.as('credits')])
    .where('is_active', '=', true)
    .orderBy(sql`credits + bonus_credits`)
    .orderBy('product_id')
    .execute();
}
