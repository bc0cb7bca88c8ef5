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
  ctx: SessionContext & Pick<Context, 'log' | 'metrics'>,
  refreshToken: string,
): Promise<Session | RefreshFailure> {
  if (refreshToken.length > TOKEN_CHARACTERS_MAX) return refused(ctx, 'not_found');
  const next = await makeRefreshToken(ctx);
  const result = await ctx.db.call('rotate_session', {
    token_hash: await sha256(refreshToken),
    next_token_hash: next.hash,
    next_nonce: next.nonce,
    lifetime_seconds: SESSION_LIFETIME_SECONDS,
  });
  switch (result.outcome) {
    case 'rotated':
      ctx.metrics.count('rendio_session_refreshes_total', { outcome: result.outcome });
      return signSession(ctx, result.user_id, result.session_id, next.token);
    case 'active': {
      ctx.metrics.count('rendio_session_refreshes_total', { outcome: result.outcome });
      const active = await ctx.refreshTokenFor(bytesFromHex(result.nonce));
      return signSession(ctx, result.user_id, result.session_id, active);
    }
    default:
      return refused(ctx, result.outcome);
  }
}

function refused({ log, metrics }: Pick<Context, 'log' | 'metrics'>, outcome: RefreshFailure): RefreshFailure {
  metrics.count('rendio_session_refreshes_total', { outcome });
  metrics.count('rendio_auth_failures_total', { reason: `refresh_${outcome}` });
  if (outcome === 'reused')
    log.warn({ event: 'refresh_token_reused' }, 'an old refresh token was used again: its session is closed');
  else log.info({ event: 'auth_failed', reason: `refresh_${outcome}` }, 'a refresh token was refused');
  return outcome;
}
