import { sql } from 'kysely';
import type { AdminClaims, Context } from '../context.ts';

export type Administrator = { userId: string; sessionId: string; email: string; expiresAt: Date };

/** Whose session a verified token carries; null if the session has ended or the rights were revoked. */
export async function findAdministrator(
  ctx: Pick<Context, 'db'>,
  { adminUserId, sessionId }: AdminClaims,
): Promise<Administrator | null> {
  const { rows } = await sql<{ email: string; expires_at: Date }>`
    select a.email, s.expires_at
    from admin_sessions s
    join administrators a on a.user_id = s.admin_user_id
    where s.id = ${sessionId}::uuid
      and s.admin_user_id = ${adminUserId}::uuid
      and s.ended_at is null
      and s.expires_at > now()
      and a.revoked_at is null`.execute(ctx.db.read);
  const row = rows[0];
  return row ? { userId: adminUserId, sessionId, email: row.email, expiresAt: row.expires_at } : null;
}
