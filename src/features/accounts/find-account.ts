import type { Locale } from '../../kernel/locale.ts';
import type { Context, TokenClaims } from '../context.ts';

export type Account = { id: string; language: Locale; isBanned: boolean };

/** Returns the account of a verified token; null if it is deleted, or the token's session has been closed. */
export async function findAccount(
  ctx: Pick<Context, 'db'>,
  { userId, sessionId }: Pick<TokenClaims, 'userId' | 'sessionId'>,
): Promise<Account | null> {
  const row = await ctx.db.read
    .selectFrom('users')
    .leftJoin('user_bans', 'user_bans.user_id', 'users.id')
    .leftJoin('sessions', (join) =>
      join
        .onRef('sessions.user_id', '=', 'users.id')
        .on((eb) => eb('sessions.id', '=', eb.val(sessionId)))
        .on('sessions.revoked_at', 'is', null),
    )
    .select(['users.id', 'users.language', 'user_bans.created_at as banned_at', 'sessions.id as session_id'])
    .where('users.id', '=', userId)
    .where('users.deleted_at', 'is', null)
    .executeTakeFirst();
  if (!row || row.session_id !== sessionId) return null;
  // A check on the column allows only these languages.
  return { id: row.id, language: row.language as Locale, isBanned: row.banned_at !== null };
}
