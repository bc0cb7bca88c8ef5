import { bytesFromHex, sha256 } from '../../kernel/hash.ts';
import type { Context } from '../context.ts';
import {
  makeRefreshToken,
  SESSION_LIFETIME_SECONDS,
  type Session,
  type SessionContext,
  signSession,
} from './session.ts';

/** Why a refresh token is not accepted. Each reason is final: the app has to sign in again. */
export type RefreshFailure = 'not_found' | 'session_expired' | 'session_revoked' | 'banned' | 'reused';

/** Our tokens have 43 characters; far longer texts are not even hashed. */
const TOKEN_CHARACTERS_MAX = 500;

/**
 * Exchanges a refresh token for a new pair. Sending the token that was just exchanged again returns the active one, so that
 * a lost response signs no user out. Any older token closes the session.
 */
export async function refreshSession(
  ctx: SessionContext & Pick<Context, 'log'>,
  refreshToken: string,
): Promise<Session | RefreshFailure> {
  if (refreshToken.length > TOKEN_CHARACTERS_MAX) return 'not_found';
  const next = await makeRefreshToken(ctx);
  const result = await ctx.db.call('rotate_session', {
    token_hash: await sha256(refreshToken),
    next_token_hash: next.hash,
    next_nonce: next.nonce,
    lifetime_seconds: SESSION_LIFETIME_SECONDS,
  });
  switch (result.outcome) {
    case 'rotated':
      return signSession(ctx, result.user_id, result.session_id, next.token);
    case 'active': {
      const active = await ctx.refreshTokenFor(bytesFromHex(result.nonce));
      return signSession(ctx, result.user_id, result.session_id, active);
    }
    default:
      if (result.outcome === 'reused') ctx.log.warn({}, 'an old refresh token was used again: its session is closed');
      return result.outcome;
  }
}
