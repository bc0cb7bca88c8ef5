import { Problem } from '../../kernel/errors.ts';
import { sha256 } from '../../kernel/hash.ts';
import type { Context } from '../context.ts';

export type AdminSession = { accessToken: string; expiresAt: Date; email: string };

/** Opens an administrator's session with the token of a one-time link, which it uses up. Throws ERR_4005 (401) for one that is not good any more. */
export async function openAdminSession(
  ctx: Pick<Context, 'adminTokens' | 'db' | 'log' | 'newUuid'>,
  linkToken: string,
): Promise<AdminSession> {
  const sessionId = ctx.newUuid();
  const opened = await ctx.db.call('open_admin_session', {
    session_id: sessionId,
    token_hash: await sha256(linkToken),
  });
  if (!opened) throw new Problem('ERR_4005');
  const { admin_user_id: adminUserId, email } = opened;
  const expiresAt = new Date(opened.expires_at);
  ctx.log.info({ event: 'admin_signed_in', admin_user_id: adminUserId }, 'an administrator signed in by a link');
  return { accessToken: await ctx.adminTokens.sign({ adminUserId, sessionId }, expiresAt), expiresAt, email };
}
