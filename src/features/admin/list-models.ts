import { sql } from 'kysely';
import { compared, type List, type ListRequest, type Page, readPage } from '../../db/list.ts';
import type { Context } from '../context.ts';

export type ModelFilters = {
  provider?: string | undefined;
  category?: string | undefined;
  is_available?: boolean | undefined;
  is_featured?: boolean | undefined;
  requires_image?: boolean | undefined;
};

export type ListedModel = {
  id: string;
  name: string;
  category: string;
  description: string;
  cost_per_generation: number;
  pricing: { credits: number; per_seconds: number | null };
  provider: string;
  provider_model_id: string;
  is_featured: boolean;
  is_available: boolean;
  requires_image: boolean;
  prompt_max: number;
  thumbnail_url: string | null;
  settings_schema: unknown;
  created_at: Date;
  updated_at: Date;
};

const MODELS: List<ModelFilters, ListedModel> = {
  name: 'models',
  table: 'models',
  time: 'created_at',
  id: { column: 'id', type: 'uuid' },
  columns: sql`t.id, t.name, t.category, t.description, t.cost_per_generation,
    jsonb_build_object('credits', coalesce(t.price_credits, t.cost_per_generation), 'per_seconds', t.price_per_seconds) as pricing,
    t.provider, t.provider_model_id, t.is_featured, t.is_available, t.requires_image, t.prompt_max, t.thumbnail_url,
    t.settings_schema, t.created_at, t.updated_at`,
  filters: {
    provider: compared((provider) => sql`t.provider = ${provider}`),
    category: compared((category) => sql`t.category = ${category}`),
    is_available: compared((isAvailable) => sql`t.is_available = ${isAvailable}`),
    is_featured: compared((isFeatured) => sql`t.is_featured = ${isFeatured}`),
    requires_image: compared((requiresImage) => sql`t.requires_image = ${requiresImage}`),
  },
};

/** Lists all models, also those that are not on offer, newest first. */
export function listModels(
  { db }: Pick<Context, 'db'>,
  request: ListRequest & ModelFilters,
): Promise<Page<ListedModel>> {
  return readPage(db.read, MODELS, request);
}
