import type { Context } from '../context.ts';

/**
 * Of these sessions of an account, returns the ones that are open. Null: the account is banned or deleted, so that no stream
 * of it may stay open.
 */
export async function allowedSessions(
  ctx: Pick<Context, 'db'>,
  userId: string,
  sessionIds: string[],
): Promise<ReadonlySet<string> | null> {
  const rows = await ctx.db.read
    .selectFrom('users')
    .leftJoin('user_bans', 'user_bans.user_id', 'users.id')
    .leftJoin('sessions', (join) =>
      join
        .onRef('sessions.user_id', '=', 'users.id')
        .on((eb) => eb('sessions.id', '=', eb.fn.any(eb.val(sessionIds))))
        .on('sessions.revoked_at', 'is', null),
    )
    .select('sessions.id as session_id')
    .where('users.id', '=', userId)
    .where('users.deleted_at', 'is', null)
    .where('user_bans.user_id', 'is', null)
    .execute();
  if (rows.length === 0) return null;
  return new Set(rows.flatMap(({ session_id }) => session_id ?? []));
}
