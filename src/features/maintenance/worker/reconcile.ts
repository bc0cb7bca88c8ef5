import type { Context } from '../../context.ts';

type Violation = { invariant: string; subject: string; details: unknown };

/** Logs every violated money invariant as an error. Repairs nothing: an operator has to find the cause first. */
export async function reconcile(ctx: Pick<Context, 'db' | 'log'>): Promise<Violation[]> {
  const { rows } = await ctx.db.pool.query<Violation>(
    'select invariant, subject, details from public.broken_invariants()',
  );
  for (const violation of rows) ctx.log.error(violation, 'a money invariant is broken');
  return rows;
}
