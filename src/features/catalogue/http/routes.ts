import type { Router } from '../../../http/route.ts';
import type { Context } from '../../context.ts';
import { listModels } from '../models.ts';
import { listProducts } from '../products.ts';
import { GET_MODELS, GET_PRODUCTS } from './openapi.ts';
import { presentModel } from './schemas.ts';

export function catalogueRoutes(
  router: Router,
  ctx: Pick<Context, 'db' | 'payments' | 'providers' | 'simulated'>,
): void {
  router.add(GET_MODELS, async (c) => {
    // Clients may cache it, but must revalidate it each time.
    c.header('Cache-Control', 'no-cache');
    return c.json({ models: (await listModels(ctx)).map((row) => presentModel(row, ctx.simulated)) }, 200);
  });

  router.add(GET_PRODUCTS, async (c) => c.json({ products: await listProducts(ctx) }, 200));
}
