/** The part of the Supabase auth API that keeps sessions alive, in its own wire format. */

import { takeAddressSlot } from '../../../http/address-limit.ts';
import { type AuthErrorCode, authError } from '../../../http/auth-dialect.ts';
import type { AddressReader } from '../../../http/client-address.ts';
import type { HttpContext } from '../../../http/env.ts';
import type { Router } from '../../../http/route.ts';
import type { Context } from '../../context.ts';
import { type RefreshRefusal, refreshSession } from '../refresh.ts';
import { GET_SIGNING_KEYS, REFRESH_SESSION } from './auth-openapi.ts';
import { presentSession } from './schemas.ts';

const FIVE_MINUTES_SECONDS = 300;
/** As long as the Supabase clients keep a key set; a new key is published this long before it signs. */
const JWKS_SECONDS = 600;

const REFUSALS: Record<RefreshRefusal, [AuthErrorCode, string]> = {
  not_found: ['refresh_token_not_found', 'Invalid Refresh Token: Refresh Token Not Found'],
  session_revoked: ['session_not_found', 'Invalid Refresh Token: No Valid Session Found'],
  session_expired: ['session_expired', 'Invalid Refresh Token: Session Expired'],
  reused: ['refresh_token_already_used', 'Invalid Refresh Token: Already Used'],
  banned: ['user_banned', 'Invalid Refresh Token: User Banned'],
};

export function authRoutes(router: Router, ctx: Context, addressOf: AddressReader): void {
  router.add(REFRESH_SESSION, async (c) => {
    if (c.req.query('grant_type') !== 'refresh_token') {
      return authError(c, 400, 'invalid_credentials', 'unsupported_grant_type');
    }
    const { limits } = ctx.policy;
    const address = addressOf(c);
    await takeAddressSlot(c, ctx.db, {
      policy: 'auth',
      address,
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
  if (typeof session === 'string') return authError(c, 400, ...REFUSALS[session]);
  return c.json(presentSession(session), 200);
}
