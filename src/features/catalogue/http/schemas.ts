import { z } from '@hono/zod-openapi';
import { credits, time } from '../../../http/api.ts';
import type { listModels } from '../models.ts';

const SettingValue = z.union([z.string(), z.number(), z.boolean()]);

const Setting = z
  .object({
    type: z.enum(['integer', 'string', 'boolean']),
    enum: z.array(SettingValue).optional().openapi({ description: 'All allowed values.' }),
    minimum: z.int().optional(),
    maximum: z.int().optional(),
    default: SettingValue.optional(),
  })
  .openapi('Setting');

const SettingsSchema = z.object({
  $schema: z.string().optional(),
  type: z.literal('object'),
  properties: z.record(z.string(), Setting),
});

const Model = z
  .object({
    id: z.uuid(),
    name: z.string(),
    category: z.string().openapi({ description: 'Such as `cinematic`, `creative`, `image-to-video` or `sandbox`.' }),
    description: z.string().openapi({ description: 'What the model is good at, in English, to show to users.' }),
    cost_per_generation: credits('The price of one generation with the default settings'),
    pricing: z
      .object({
        credits: credits('The price per started `per_seconds`, or of the whole video if `per_seconds` is null'),
        per_seconds: z
          .int()
          .nullable()
          .openapi({ description: 'The billing unit, in seconds of video; null for a flat price.' }),
      })
      .openapi({ description: '`ceil(duration / per_seconds) × credits`; flat if `per_seconds` is null.' }),
    provider: z
      .string()
      .openapi({ description: 'The provider that makes the video: `fal`, `runway`, `pika` or `sandbox`.' }),
    provider_model_id: z.string().openapi({ description: 'The provider’s name for the model.' }),
    is_simulated: z.boolean().openapi({
      description:
        'Whether the provider is simulated: no vendor is called, and the result is a stock video of the duration that was paid ' +
        'for. Never true in production.',
    }),
    is_featured: z.boolean().openapi({ description: 'Whether the model is listed first.' }),
    is_available: z.boolean().openapi({ description: 'Always true in this list.' }),
    requires_image: z.boolean().openapi({ description: 'Whether the model needs an `image_url`.' }),
    prompt_max: z
      .int()
      .openapi({ description: 'The maximum prompt length in characters, after trimming. The minimum is 3.' }),
    thumbnail_url: z.string().nullable().openapi({ format: 'uri' }),
    settings_schema: SettingsSchema.openapi({
      description: 'The JSON Schema (2020-12) of the `settings` that this model accepts.',
    }),
    created_at: time,
  })
  .openapi('Model');

export const Models = z.object({ models: z.array(Model) }).openapi('Models');

export const Products = z
  .object({
    products: z.array(
      z.object({
        product_id: z.string().openapi({ description: 'The product’s id in the App Store.' }),
        credits: credits('What one purchase adds to the balance'),
        display_name: z.string().openapi({ description: 'A name to show to users, in English.' }),
        web_price: z
          .object({
            amount: z.number().openapi({ description: 'In the currency’s own unit, such as 2.99.' }),
            currency: z.string().openapi({ description: 'In lower case, such as `usd`.' }),
          })
          .optional()
          .openapi({ description: 'What it costs in this server’s web shop; absent if it is not sold there.' }),
      }),
    ),
  })
  .openapi('Products');

type ModelRow = Awaited<ReturnType<typeof listModels>>[number];

/** `simulated`: the providers that this process simulates, without calling a vendor. */
export function presentModel(row: ModelRow, simulated: ReadonlySet<string>): z.infer<typeof Model> {
  return {
    id: row.id,
    name: row.name,
    category: row.category,
    description: row.description,
    cost_per_generation: row.cost_per_generation,
    pricing: { credits: row.price_credits ?? row.cost_per_generation, per_seconds: row.price_per_seconds },
    provider: row.provider,
    provider_model_id: row.provider_model_id,
    is_simulated: simulated.has(row.provider),
    is_featured: row.is_featured,
    is_available: row.is_available,
    requires_image: row.requires_image,
    prompt_max: row.prompt_max,
    thumbnail_url: row.thumbnail_url,
    // A check on the column ensures an object; all writes to the catalogue keep to its shape.
    settings_schema: row.settings_schema as z.infer<typeof SettingsSchema>,
    created_at: row.created_at.toISOString(),
  };
}
