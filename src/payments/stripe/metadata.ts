/** What we write on a checkout and its payment, so that Stripe tells us whose it is. Customers cannot change it. */
import { z } from 'zod';
import { QUANTITY_MAX } from '../port.ts';

export type Purchase = { userId: string; productId: string; quantity: number };

/** Stripe keeps texts alone. */
const Metadata = z.object({
  user_id: z.uuid(),
  product_id: z.string().min(1).max(200),
  quantity: z
    .string()
    .regex(/^[1-9]\d{0,2}$/)
    .transform(Number)
    .pipe(z.number().max(QUANTITY_MAX)),
});

export function metadataOf({ userId, productId, quantity }: Purchase): z.input<typeof Metadata> {
  return { user_id: userId, product_id: productId, quantity: String(quantity) };
}

/** Null: we have not made it. */
export function purchaseIn(metadata: unknown): Purchase | null {
  const read = Metadata.safeParse(metadata);
  if (!read.success) return null;
  return { userId: read.data.user_id, productId: read.data.product_id, quantity: read.data.quantity };
}
