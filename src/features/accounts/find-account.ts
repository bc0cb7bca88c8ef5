import { sql } from 'kysely';
import type { Locale } from '../../kernel/locale.ts';
import type { Context, TokenClaims } from '../context.ts';

/** `mergedIds`: the guests that were merged into it, whose ids address it. */
export type Account = { id: string; mergedIds: string[]; language: Locale; isBanned: boolean };

/** `gone`: the account is deleted. `signed_out`: the token's session has been closed. */
export type NoAccount = 'gone' | 'signed_out';

type Row = {
  id: string;
  language: Locale;
  is_banned: boolean;
  has_session: boolean;
  merged_ids: string[];
};

/** Returns the account that a verified token addresses: a merged guest's token addresses the survivor. */
export async function findAccount(
  ctx: Pick<Context, 'db'>,
  { userId, sessionId }: Pick<TokenClaims, 'userId' | 'sessionId'>,
): Promise<Account | NoAccount> {
  const { rows } = await sql<Row>`
    select
      u.id,
      u.language,
      exists (select from user_bans b where b.user_id = u.id) as is_banned,
      ${sessionId}::uuid is null or exists (
        select from sessions s where s.id = ${sessionId}::uuid and s.user_id = u.id and s.revoked_at is null
      ) as has_session,
      array(select m.user_id::text from merged_users m where m.survivor_id = u.id) as merged_ids
    from users u
    where u.id = coalesce((select survivor_id from merged_users where user_id = ${userId}::uuid), ${userId}::uuid)
      and u.deleted_at is null`.execute(ctx.db.read);
  const row = rows[0];
  if (!row) return 'gone';
  if (!row.has_session) return 'signed_out';
  return { id: row.id, mergedIds: row.merged_ids, language: row.language, isBanned: row.is_banned };
}
