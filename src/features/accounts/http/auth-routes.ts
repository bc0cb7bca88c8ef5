/** The part of Supabase's auth API that refreshes sessions, in Supabase's format. */

import { type AuthErrorCode, authError } from '../../../http/auth-dialect.ts';
import type { IpReader } from '../../../http/client-ip.ts';
import type { HttpContext } from '../../../http/env.ts';
import { takeIpSlot } from '../../../http/ip-limit.ts';
import type { Router } from '../../../http/route.ts';
import type { Context } from '../../context.ts';
import { type RefreshFailure, refreshSession } from '../refresh.ts';
import { GET_SIGNING_KEYS, REFRESH_SESSION } from './auth-openapi.ts';
import { presentSession } from './schemas.ts';

const FIVE_MINUTES_SECONDS = 300;
/** As long as Supabase's clients cache a key set. A new key is published this long before it signs. */
const JWKS_SECONDS = 600;

const REFRESH_ERRORS: Record<RefreshFailure, [AuthErrorCode, string]> = {
  not_found: ['refresh_token_not_found', 'Invalid Refresh Token: Refresh Token Not Found'],
  session_revoked: ['session_not_found', 'Invalid Refresh Token: No Valid Session Found'],
  session_expired: ['session_expired', 'Invalid Refresh Token: Session Expired'],
  reused: ['refresh_token_already_used', 'Invalid Refresh Token: Already Used'],
  banned: ['user_banned', 'Invalid Refresh Token: User Banned'],
};

export function authRoutes(router: Router, ctx: Context, ipOf: IpReader): void {
  router.add(REFRESH_SESSION, async (c) => {
    if (c.req.query('grant_type') !== 'refresh_token') {
      return authError(c, 400, 'invalid_credentials', 'unsupported_grant_type');
    }
    const { limits } = ctx.policy;
    const ip = ipOf(c);
    await takeIpSlot(c, ctx.db, {
      policy: 'auth',
      ip,
      limit: limits.authPer5Minutes,
      windowSeconds: FIVE_MINUTES_SECONDS,
    });
    return answerRefresh(c, ctx, await c.req.json());
  });

  router.add(GET_SIGNING_KEYS, (c) => {
    c.header('Cache-Control', `public, max-age=${JWKS_SECONDS}`);
    return c.json(ctx.tokens.jwks(), 200);
  });
}

async function answerRefresh(
  c: HttpContext,
  ctx: Pick<Context, 'clock' | 'db' | 'log' | 'randomBytes' | 'refreshTokenFor' | 'tokens'>,
  body: { refresh_token?: unknown },
): Promise<Response> {
  const token = body.refresh_token;
  if (typeof token !== 'string' || token === '') {
    return c.json({ error: 'invalid_request', error_description: 'refresh_token required' }, 400);
  }
  const session = await refreshSession(ctx, token);
  if (typeof session === 'string') return authError(c, 400, ...REFRESH_ERRORS[session]);
  return c.json(presentSession(session), 200);
}
