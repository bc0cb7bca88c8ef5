import type { Context } from '../context.ts';
import { type AdminCall, answerOf, byOf, type ChangeAnswer, givenOf, type Optional } from './change.ts';

export type ProductChanges = Optional<{
  credits: number;
  display_name: string;
  is_active: boolean;
}>;

/** Changes a product for later purchases. Throws ERR_4007 for an unknown one. */
export async function updateProduct(
  ctx: Pick<Context, 'db'>,
  call: AdminCall,
  { product_id, reason, ...fields }: ProductChanges & { product_id: string; reason: string },
): Promise<ChangeAnswer> {
  const changes = givenOf(fields);
  const by = await byOf(call, { product_id, reason, ...changes });
  const result = await ctx.db.call('admin_update_product', { by, product_id, changes, reason });
  return answerOf(result, 'product_id');
}
