/** The parameters of requests that this simulator takes, with Stripe's own rules. Any other is unknown to it. */
import { z } from 'zod';
import { StripeFault } from './errors.ts';

const whole = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number);
const url = z.url({ protocol: /^https?$/ }).max(5000);
const metadata = z
  .record(z.string().max(40), z.string().max(500))
  .refine((data) => Object.keys(data).length <= 50)
  .default({});

const lineItem = z.strictObject({
  quantity: whole.pipe(z.number().min(1)).default(1),
  price_data: z.strictObject({
    currency: z
      .string()
      .regex(/^[a-z]{3}$/i)
      .transform((code) => code.toLowerCase()),
    unit_amount: whole,
    product_data: z.strictObject({ name: z.string().min(1).max(5000) }),
  }),
});

export const sessionParams = z.strictObject({
  mode: z.literal('payment'),
  success_url: url,
  cancel_url: url.optional(),
  client_reference_id: z.string().min(1).max(200).optional(),
  line_items: z.array(lineItem).min(1).max(100),
  metadata,
  payment_intent_data: z.strictObject({ metadata }).default({ metadata: {} }),
});
export type SessionParams = z.output<typeof sessionParams>;

export const refundParams = z.strictObject({
  payment_intent: z.string().min(1),
  amount: whole.pipe(z.number().min(1)).optional(),
  reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer']).optional(),
});

export const listParams = z.strictObject({
  payment_intent: z.string().min(1),
  limit: whole.pipe(z.number().min(1).max(100)).default(10),
  starting_after: z.string().optional(),
});

const AMOUNT_MIN = 50;
const AMOUNT_MAX = 99_999_999;

/** The sum of a checkout, in one currency. */
export function priceOf({ line_items: items }: SessionParams): { amount: number; currency: string } {
  const [{ price_data: { currency } = { currency: '' } } = {}] = items;
  if (items.some(({ price_data }) => price_data.currency !== currency))
    throw new StripeFault(400, 'All line items must have the same currency.', { param: 'line_items' });
  const amount = items.reduce((sum, { quantity, price_data }) => sum + quantity * price_data.unit_amount, 0);
  if (amount < AMOUNT_MIN)
    throw new StripeFault(400, "The Checkout Session's total amount due must add up to at least 50 cents.", {
      code: 'amount_too_small',
    });
  if (amount > AMOUNT_MAX)
    throw new StripeFault(400, 'The amount must be no more than 999,999.99.', { code: 'amount_too_large' });
  return { amount, currency };
}
