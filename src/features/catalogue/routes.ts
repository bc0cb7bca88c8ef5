import { createRoute } from '@hono/zod-openapi';
import { etag } from 'hono/etag';
import { type Api, headerParameter, responses } from '../../http/api.ts';
import type { Context } from '../context.ts';
import { listModels } from './models.ts';
import { Models, modelOnWire } from './wire.ts';

export function catalogueRoutes(api: Api, ctx: Context): void {
  api.openapi(
    createRoute({
      method: 'get',
      path: '/functions/v1/get-models',
      tags: ['Models'],
      summary: 'What can be generated, at what price, with which settings',
      parameters: [headerParameter('If-None-Match', 'The `ETag` of the copy at hand.')],
      middleware: etag(),
      responses: {
        ...responses(Models, 'The available models, featured first'),
        304: { description: 'Nothing has changed since the `ETag` in `If-None-Match`' },
      },
    }),
    async (c) => {
      // Clients may keep it, and ask each time whether it still holds.
      c.header('Cache-Control', 'no-cache');
      return c.json({ models: (await listModels(ctx)).map(modelOnWire) }, 200);
    },
  );
}
