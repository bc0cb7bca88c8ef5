import type { Context } from '../../context.ts';

type Broken = { invariant: string; subject: string; details: unknown };

/** Looks for broken promises about money and says each loudly; repairs nothing, since a person has to understand it. */
export async function reconcile(ctx: Pick<Context, 'db' | 'log'>): Promise<Broken[]> {
  const { rows } = await ctx.db.pool.query<Broken>(
    'select invariant, subject, details from public.broken_invariants()',
  );
  for (const broken of rows) ctx.log.error(broken, 'a money invariant is broken');
  return rows;
}
