import type { Context } from '../context.ts';

/** Returns the available models of this server's providers, featured first, then by name. */
export async function listModels(ctx: Pick<Context, 'db' | 'providers'>) {
  return ctx.db.read
    .selectFrom('models')
    .selectAll()
    .where('is_available', '=', true)
    .where('provider', 'in', [...ctx.providers.keys()])
    .orderBy('is_featured', 'desc')
    .orderBy('name')
    .orderBy('id')
    .execute();
}
