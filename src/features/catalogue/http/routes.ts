import { createRoute, type z } from '@hono/zod-openapi';
import { etag } from 'hono/etag';
import type { Api } from '../../../http/api.ts';
import { EXAMPLE_IDS, headerParameter, responses } from '../../../http/openapi.ts';
import { headersOf } from '../../../http/openapi-headers.ts';
import type { Context } from '../../context.ts';
import { listModels } from '../models.ts';
import { Models, presentModel } from './schemas.ts';

const EXAMPLE_MODEL: z.input<typeof Models>['models'][number] = {
  id: EXAMPLE_IDS.model,
  name: 'Cinematic',
  category: 'cinematic',
  description: 'Film-like scenes with convincing light and motion. The best picture on offer.',
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

export function catalogueRoutes(api: Api, ctx: Context): void {
  api.openapi(
    createRoute({
      method: 'get',
      path: '/functions/v1/get-models',
      tags: ['Models'],
      operationId: 'getModels',
      summary: 'What can be generated, at what price, with which settings',
      description:
        'Draw the settings from `settings_schema` and the price from `pricing`: nothing about a model has to be known ' +
        'beforehand. Needs no token. Keep the answer, and ask with its `ETag` whether it still holds.',
      parameters: [headerParameter('If-None-Match', 'The `ETag` of the copy at hand.')],
      middleware: etag(),
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
    }),
    async (c) => {
      // Clients may keep it, and ask each time whether it still holds.
      c.header('Cache-Control', 'no-cache');
      return c.json({ models: (await listModels(ctx)).map((row) => presentModel(row, ctx.simulated)) }, 200);
    },
  );
}
