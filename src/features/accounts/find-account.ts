import type { Locale } from '../../kernel/locale.ts';
import type { Context } from '../context.ts';

export type Account = { id: string; language: Locale; isBanned: boolean };

/** Returns the account of a verified token; null if it is deleted. */
export async function findAccount(ctx: Pick<Context, 'db'>, userId: string): Promise<Account | null> {
  const row = await ctx.db.read
    .selectFrom('users')
    .leftJoin('user_bans', 'user_bans.user_id', 'users.id')
    .select(['users.id', 'users.language', 'user_bans.created_at as banned_at'])
    .where('users.id', '=', userId)
    .where('users.deleted_at', 'is', null)
    .executeTakeFirst();
  if (!row) return null;
  // A check on the column allows only these languages.
  return { id: row.id, language: row.language as Locale, isBanned: row.banned_at !== null };
}
