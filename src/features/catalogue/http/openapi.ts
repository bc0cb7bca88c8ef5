import type { z } from '@hono/zod-openapi';
import { etag } from 'hono/etag';
import { EXAMPLE_IDS, headerParameter, responses, USER_ID_PARAMETER } from '../../../http/openapi.ts';
import { headersOf } from '../../../http/openapi-headers.ts';
import { rawPublicRoute, userRoute } from '../../../http/route.ts';
import { Models, Products } from './schemas.ts';

const EXAMPLE_MODEL: z.input<typeof Models>['models'][number] = {
  id: EXAMPLE_IDS.model,
  name: 'Cinematic',
  category: 'cinematic',
  description: 'Cinematic scenes with realistic light and motion. Our highest video quality.',
  cost_per_generation: 4,
  pricing: { credits: 1, per_seconds: 1 },
  provider: 'fal',
  provider_model_id: 'fal-ai/veo3.1',
  is_simulated: false,
  is_featured: true,
  is_available: true,
  requires_image: false,
  prompt_max: 2000,
  thumbnail_url: null,
  settings_schema: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: {
      duration: { type: 'integer', enum: [4, 6, 8], default: 4 },
      resolution: { type: 'string', enum: ['720p', '1080p'], default: '720p' },
      aspect_ratio: { type: 'string', enum: ['16:9', '9:16'], default: '16:9' },
      audio: { type: 'boolean', default: false },
    },
  },
  created_at: '2026-11-23T09:30:00.000Z',
};

export const GET_MODELS = rawPublicRoute({
  method: 'get',
  path: '/functions/v1/get-models',
  tags: ['Models'],
  operationId: 'getModels',
  summary: 'List the available models',
  description:
    'Returns the models with their prices and settings. Build the settings form from `settings_schema` and the price from ' +
    '`pricing`, so that the app needs no built-in knowledge of models. Needs no token. Cache the response, and send its `ETag` ' +
    'to check whether it is still current.',
  middleware: etag(),
  parameters: [headerParameter('If-None-Match', 'The `ETag` of the cached copy.')],
  responses: {
    ...responses(Models, {
      description: 'The available models: featured first, then by name',
      example: { models: [EXAMPLE_MODEL] },
      headers: ['ETag', 'CacheControl'],
    }),
    304: {
      description: 'Nothing has changed since the `ETag` in `If-None-Match`',
      headers: headersOf(['ETag', 'CacheControl']),
    },
  },
});

export const GET_PRODUCTS = userRoute({
  method: 'get',
  path: '/functions/v1/get-products',
  tags: ['Credits'],
  operationId: 'getProducts',
  summary: 'List the products on sale',
  description:
    'Returns the products that can be bought, the smallest first. Ask StoreKit for the prices of these ids: the App Store sets ' +
    'them. Where the server has a web shop, `web_price` is the price there, and `create-checkout` sells the product. Only the ' +
    'server decides how many credits a product is.',
  parameters: [USER_ID_PARAMETER],
  answer: {
    schema: Products,
    description: 'The products on sale',
    example: {
      products: [
        { product_id: 'com.rendio.credits.10', credits: 10, display_name: '10 credits' },
        { product_id: 'com.rendio.credits.50', credits: 50, display_name: '50 credits' },
      ],
    },
    otherExamples: {
      web: {
        summary: 'With a web shop',
        value: {
          products: [
            {
              product_id: 'com.rendio.credits.10',
              credits: 10,
              display_name: '10 credits',
              web_price: { amount: 2.99, currency: 'usd' },
            },
          ],
        },
      },
    },
    details: { ERR_4006: { field: 'user_id' } },
  },
});
