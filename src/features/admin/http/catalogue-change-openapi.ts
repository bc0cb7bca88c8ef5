/** Declarations of changes to models, codes and products. */
import type { z } from '@hono/zod-openapi';
import { EXAMPLE_IDS, jsonContent } from '../../../http/openapi.ts';
import { adminRoute } from '../../../http/route.ts';
import {
  ChangedModel,
  ChangedProduct,
  CreateCodeBody,
  CreatedCode,
  ToggleModelBody,
  UpdateModelBody,
  UpdateProductBody,
} from './catalogue-change-schemas.ts';
import { ADMIN_TAGS, IDEMPOTENCY_PARAMETER } from './openapi.ts';

const MODEL: z.input<typeof ChangedModel> = {
  id: EXAMPLE_IDS.model,
  name: 'Cinematic',
  category: 'cinematic',
  description: 'Cinematic scenes with realistic light and motion.',
  cost_per_generation: 8,
  pricing: { credits: 2, per_seconds: 1 },
  provider: 'fal',
  provider_model_id: 'fal-ai/veo3.1',
  is_featured: true,
  is_available: true,
  requires_image: false,
  prompt_max: 2000,
  thumbnail_url: null,
  settings_schema: {
    type: 'object',
    properties: { duration: { type: 'integer', enum: [4, 6, 8], default: 4 } },
  },
  created_at: '2026-11-23T09:30:00.000Z',
  updated_at: '2026-11-30T09:30:00.000Z',
};

export const TOGGLE_MODEL = adminRoute({
  method: 'post',
  path: '/functions/v1/admin-toggle-model',
  tags: ADMIN_TAGS,
  operationId: 'adminToggleModel',
  summary: 'Put a model on offer, or take it off',
  description:
    'Takes effect with the next call of `get-models` and `generate-video`. Generations that were begun go on.',
  parameters: [IDEMPOTENCY_PARAMETER],
  request: {
    body: jsonContent(ToggleModelBody, {
      off: {
        summary: 'Take a model off',
        value: { model_id: EXAMPLE_IDS.model, is_available: false, reason: 'Its vendor returns black videos.' },
      },
    }),
  },
  answer: {
    schema: ChangedModel,
    description: 'The model after the change',
    example: { ...MODEL, is_available: false },
    headers: ['IdempotentReplay'],
    errors: ['ERR_4007', 'ERR_4009'],
    details: { ERR_4006: { field: 'is_available', reason: 'missing' } },
  },
});

export const UPDATE_MODEL = adminRoute({
  method: 'post',
  path: '/functions/v1/admin-update-model',
  tags: ADMIN_TAGS,
  operationId: 'adminUpdateModel',
  summary: 'Change a model',
  description:
    'Changes what is given and leaves the rest. A new price is that of later generations: those that were begun keep theirs, and ' +
    'so do their refunds. A `settings_schema` replaces the whole one.',
  parameters: [IDEMPOTENCY_PARAMETER],
  request: {
    body: jsonContent(UpdateModelBody, {
      price: {
        summary: 'Another price',
        value: { model_id: EXAMPLE_IDS.model, price_credits: 2, reason: 'Its vendor has doubled the price.' },
      },
    }),
  },
  answer: {
    schema: ChangedModel,
    description: 'The model after the change',
    example: MODEL,
    headers: ['IdempotentReplay'],
    errors: ['ERR_4007', 'ERR_4009'],
    details: { ERR_4006: { field: 'settings_schema.properties.duration.default', allowed: [4, 6, 8] } },
  },
});

export const CREATE_CODE = adminRoute({
  method: 'post',
  path: '/functions/v1/admin-create-code',
  tags: ADMIN_TAGS,
  operationId: 'adminCreateCode',
  summary: 'Create a code that gives credits',
  description:
    'Each account can redeem it once, by `redeem-code`. A code that there is already, in whatever letters, is a 409.',
  parameters: [IDEMPOTENCY_PARAMETER],
  request: {
    body: jsonContent(CreateCodeBody, {
      unguessable: {
        summary: 'A code that cannot be guessed',
        value: { credits: 20, uses_max: 1, reason: 'Winner of the November contest.' },
      },
      campaign: {
        summary: 'A code for a campaign',
        value: {
          code: 'SUMMER-2027',
          credits: 5,
          uses_max: 1000,
          expires_at: '2027-09-01T00:00:00Z',
          reason: 'Summer campaign.',
        },
      },
    }),
  },
  answer: {
    schema: CreatedCode,
    description: 'The code',
    example: {
      id: EXAMPLE_IDS.transaction,
      code: 'SUMMER2027',
      credits: 5,
      uses: 0,
      uses_max: 1000,
      expires_at: '2027-09-01T00:00:00.000Z',
      created_at: '2026-11-30T09:30:00.000Z',
    },
    headers: ['IdempotentReplay'],
    errors: ['ERR_4008', 'ERR_4009'],
    details: {
      ERR_4006: { field: 'expires_at', reason: 'past' },
      ERR_4008: { field: 'code', reason: 'code_exists' },
    },
  },
});

export const UPDATE_PRODUCT = adminRoute({
  method: 'post',
  path: '/functions/v1/admin-update-product',
  tags: ADMIN_TAGS,
  operationId: 'adminUpdateProduct',
  summary: 'Change a product',
  description:
    'Changes what is given and leaves the rest. Purchases that are credited from then on add the new number of credits; those that ' +
    'were credited stay, and so do their refunds.',
  parameters: [IDEMPOTENCY_PARAMETER],
  request: {
    body: jsonContent(UpdateProductBody, {
      credits: {
        summary: 'More credits for the same price',
        value: { product_id: 'com.rendio.credits.50', credits: 55, reason: 'Black Friday.' },
      },
    }),
  },
  answer: {
    schema: ChangedProduct,
    description: 'The product after the change',
    example: {
      product_id: 'com.rendio.credits.50',
      display_name: '50 credits',
      credits: 55,
      bonus_credits: 0,
      web_price_cents: 1199,
      web_currency: 'usd',
      is_active: true,
      created_at: '2026-11-23T09:30:00.000Z',
      updated_at: '2026-11-30T09:30:00.000Z',
    },
    headers: ['IdempotentReplay'],
    errors: ['ERR_4007', 'ERR_4009'],
    details: { ERR_4006: { field: 'credits', allowed: { minimum: 1, maximum: 10_000 } } },
  },
});
