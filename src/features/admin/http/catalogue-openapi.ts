import { EXAMPLE_IDS } from '../../../http/openapi.ts';
import * as schemas from './catalogue-schemas.ts';
import { AT, list } from './list-openapi.ts';

export const LIST_MODELS = list({
  name: 'models',
  what: 'models',
  description: 'All models, also those that are not on offer.',
  query: schemas.ModelsQuery,
  schema: schemas.Models,
  example: {
    models: [
      {
        id: EXAMPLE_IDS.model,
        name: 'Cinematic',
        category: 'cinematic',
        description: 'Cinematic scenes with realistic light and motion.',
        cost_per_generation: 4,
        pricing: { credits: 1, per_seconds: 1 },
        provider: 'fal',
        provider_model_id: 'fal-ai/veo3.1',
        is_featured: true,
        is_available: true,
        requires_image: false,
        prompt_max: 2000,
        thumbnail_url: null,
        settings_schema: { type: 'object', properties: {} },
        created_at: AT,
        updated_at: AT,
      },
    ],
    next_cursor: null,
  },
});

export const LIST_PRODUCTS = list({
  name: 'products',
  what: 'products',
  description: 'All products, also those that are not on sale.',
  query: schemas.ProductsQuery,
  schema: schemas.Products,
  example: {
    products: [
      {
        product_id: 'com.rendio.credits.10',
        display_name: '10 credits',
        credits: 10,
        bonus_credits: 0,
        web_price_cents: null,
        web_currency: 'usd',
        is_active: true,
        created_at: AT,
        updated_at: AT,
      },
    ],
    next_cursor: null,
  },
});

export const LIST_CODES = list({
  name: 'codes',
  what: 'codes for credits',
  description: 'All codes, also those that are used up or expired.',
  query: schemas.CodesQuery,
  schema: schemas.Codes,
  example: {
    codes: [
      {
        id: EXAMPLE_IDS.transaction,
        code: 'SUMMER2026',
        credits: 5,
        uses: 120,
        uses_max: 1000,
        expires_at: null,
        created_at: AT,
      },
    ],
    next_cursor: null,
  },
});
