import { sql } from 'kysely';
import { Problem } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';

export type SessionRow = { id: string; created_at: Date; refreshed_at: Date };

/** Which sessions end: this one, all but this one, or all. */
export type SignOutScope = 'local' | 'others' | 'global';

/** Lists the account's open sessions, the one that was used last first. `open_session` allows a hundred. */
export function listSessions(ctx: Pick<Context, 'db'>, userId: string): Promise<SessionRow[]> {
  return ctx.db.read
    .selectFrom('sessions')
    .select(['id', 'created_at', 'refreshed_at'])
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', sql<Date>`now()`)
    .orderBy('refreshed_at', 'desc')
    .orderBy('id')
    .execute();
}

/** Ends sessions at once: their access tokens are refused, and their event streams end. */
export async function signOut(
  ctx: Pick<Context, 'db'>,
  { userId, sessionId, scope }: { userId: string; sessionId: string | null; scope: SignOutScope },
): Promise<void> {
  await ctx.db.call('revoke_sessions', { user_id: userId, session_id: sessionId, scope });
}

/** Ends one session of the account. Safe to repeat. Throws ERR_4007 for any other id. */
export async function revokeSession(ctx: Pick<Context, 'db'>, userId: string, sessionId: string): Promise<void> {
  const ended = await ctx.db.call('revoke_sessions', { user_id: userId, session_id: sessionId, scope: 'local' });
  if (ended === 0 && !(await isEndedSession(ctx, userId, sessionId))) throw new Problem('ERR_4007');
}

/** Ending a session twice succeeds. */
async function isEndedSession(ctx: Pick<Context, 'db'>, userId: string, sessionId: string): Promise<boolean> {
  const row = await ctx.db.read
    .selectFrom('sessions')
    .select('id')
    .where('id', '=', sessionId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return row !== undefined;
}
