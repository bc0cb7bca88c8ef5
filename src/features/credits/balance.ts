import { Problem } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';

/** Returns the current balance, read from the database each time. */
export async function readBalance(ctx: Pick<Context, 'db'>, userId: string): Promise<number> {
  const row = await ctx.db.read
    .selectFrom('users')
    .select('credits_remaining')
    .where('id', '=', userId)
    .executeTakeFirst();
  if (!row) throw new Problem('ERR_4005');
  return row.credits_remaining;
}
