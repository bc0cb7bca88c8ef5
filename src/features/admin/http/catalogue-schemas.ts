import { z } from '@hono/zod-openapi';
import { credits, time } from '../../../http/api.ts';
import { listOf, listQuery } from '../../../http/listing.ts';
import { parseCreditCode } from '../../../kernel/credit-code.ts';
import { only, someText, someTime, TEXT_MAX, text, yesOrNo } from './list-schemas.ts';

export const ModelsQuery = listQuery({
  provider: text('provider'),
  category: text('category'),
  is_available: yesOrNo('is_available'),
  is_featured: yesOrNo('is_featured'),
  requires_image: yesOrNo('requires_image'),
});

const ListedModel = z.object({
  id: z.uuid(),
  name: z.string(),
  category: z.string(),
  description: z.string(),
  cost_per_generation: credits('The price with the default settings'),
  pricing: z.object({ credits: z.int(), per_seconds: z.int().nullable() }),
  provider: z.string(),
  provider_model_id: z.string(),
  is_featured: z.boolean(),
  is_available: z.boolean(),
  requires_image: z.boolean(),
  prompt_max: z.int(),
  thumbnail_url: someText,
  settings_schema: z.unknown(),
  created_at: time,
  updated_at: time,
});
export const Models = listOf('models', ListedModel);

export const ProductsQuery = listQuery({ product_id: text('product_id'), is_active: yesOrNo('is_active') });

const ListedProduct = z.object({
  product_id: z.string(),
  display_name: z.string(),
  credits: credits('What one purchase adds'),
  bonus_credits: credits('What it adds besides'),
  web_price_cents: z.int().nullable().openapi({ description: 'Null: not sold in the web shop.' }),
  web_currency: z.string(),
  is_active: z.boolean(),
  created_at: time,
  updated_at: time,
});
export const Products = listOf('products', ListedProduct);

export const CodesQuery = listQuery({
  code: z
    .string()
    .max(TEXT_MAX)
    .transform((given, issues) => {
      const parsed = parseCreditCode(given);
      if (parsed === null) issues.addIssue({ code: 'custom' });
      return parsed ?? z.NEVER;
    })
    .optional()
    .openapi({ type: 'string', description: 'The whole code; case, dashes and spaces do not matter.' }),
  credits: only(
    'credits',
    z
      .string()
      .regex(/^\d{1,9}$/)
      .transform(Number)
      .optional()
      .openapi({ type: 'integer' }),
  ),
});

const ListedCode = z.object({
  id: z.uuid(),
  code: z.string(),
  credits: credits('What the code gives'),
  uses: z.int(),
  uses_max: z.int(),
  expires_at: someTime,
  created_at: time,
});
export const Codes = listOf('codes', ListedCode);
