import type { Locale } from '../../kernel/locale.ts';
import type { Context } from '../context.ts';

export type Account = { id: string; language: Locale; isBanned: boolean };

/** The living account of a verified token; null when it is gone. */
export async function findAccount(ctx: Pick<Context, 'db'>, userId: string): Promise<Account | null> {
  const row = await ctx.db.read
    .selectFrom('users')
    .leftJoin('user_bans', 'user_bans.user_id', 'users.id')
    .select(['users.id', 'users.language', 'user_bans.created_at as banned_at'])
    .where('users.id', '=', userId)
    .where('users.deleted_at', 'is', null)
    .executeTakeFirst();
  if (!row) return null;
  // The column's check admits exactly these languages.
  return { id: row.id, language: row.language as Locale, isBanned: row.banned_at !== null };
}
