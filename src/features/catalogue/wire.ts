import { z } from '@hono/zod-openapi';
import { time } from '../../http/api.ts';
import type { listModels } from './models.ts';

const Model = z
  .object({
    id: z.uuid(),
    name: z.string(),
    category: z.string(),
    description: z.string(),
    cost_per_generation: z.int().openapi({ description: 'Credits for one generation with the default settings.' }),
    pricing: z
      .object({ credits: z.int(), per_seconds: z.int().nullable() })
      .openapi({ description: '`ceil(duration / per_seconds) × credits`; flat where `per_seconds` is null.' }),
    provider: z.string(),
    provider_model_id: z.string(),
    is_featured: z.boolean(),
    is_available: z.boolean(),
    requires_image: z.boolean(),
    prompt_max: z.int(),
    thumbnail_url: z.string().nullable(),
    settings_schema: z
      .record(z.string(), z.unknown())
      .openapi({ description: 'JSON Schema 2020-12 of the `settings` that this model takes.' }),
    created_at: time,
  })
  .openapi('Model');

export const Models = z.object({ models: z.array(Model) }).openapi('Models');

type ModelRow = Awaited<ReturnType<typeof listModels>>[number];

export function modelOnWire(row: ModelRow): z.infer<typeof Model> {
  return {
    id: row.id,
    name: row.name,
    category: row.category,
    description: row.description,
    cost_per_generation: row.cost_per_generation,
    pricing: { credits: row.price_credits ?? row.cost_per_generation, per_seconds: row.price_per_seconds },
    provider: row.provider,
    provider_model_id: row.provider_model_id,
    is_featured: row.is_featured,
    is_available: row.is_available,
    requires_image: row.requires_image,
    prompt_max: row.prompt_max,
    thumbnail_url: row.thumbnail_url,
    // The column's check keeps it an object.
    settings_schema: row.settings_schema as Record<string, unknown>,
    created_at: row.created_at.toISOString(),
  };
}
