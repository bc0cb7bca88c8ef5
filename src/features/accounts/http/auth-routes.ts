/** The part of Supabase's auth API that its clients use for sessions, in Supabase's format. */
import type { MiddlewareHandler } from 'hono';
import { type AuthErrorCode, authError, oauthError } from '../../../http/auth-dialect.ts';
import { callerId } from '../../../http/caller.ts';
import type { IpReader } from '../../../http/client-ip.ts';
import type { HttpContext, HttpEnv } from '../../../http/env.ts';
import { takeIpSlot } from '../../../http/ip-limit.ts';
import { localeOf } from '../../../http/problem.ts';
import type { Router } from '../../../http/route.ts';
import { Problem } from '../../../kernel/errors.ts';
import type { Context } from '../../context.ts';
import { readAuthUser } from '../auth-user.ts';
import { linkAppleIdentity } from '../link-identity.ts';
import { type RefreshFailure, refreshSession } from '../refresh.ts';
import { openSession, type Session } from '../session.ts';
import { signInWithApple, signUpAnonymously } from '../sign-in.ts';
import { CREATE_SESSION, GET_SIGNING_KEYS, SIGN_UP } from './auth-openapi.ts';
import { IdTokenGrant, presentSession, SignUp } from './auth-schemas.ts';

const HOUR_SECONDS = 3600;
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

/** `asUser` is the guard of routes for users: for the one call that needs a user only in one of its forms. */
export type AuthRouteOptions = { ipOf: IpReader; asUser: MiddlewareHandler<HttpEnv> };

export function authRoutes(router: Router, ctx: Context, { ipOf, asUser }: AuthRouteOptions): void {
  router.add(SIGN_UP, async (c) => {
    const body = SignUp.safeParse(await c.req.json()).data;
    if (!body) return authError(c, 400, 'validation_failed', 'data must be an object');
    if (body.email) return authError(c, 422, 'email_provider_disabled', 'Email signups are disabled');
    if (body.phone) return authError(c, 422, 'phone_provider_disabled', 'Phone signups are disabled');
    const { limits } = ctx.policy;
    const window = { limit: limits.onboardingPerHour, windowSeconds: HOUR_SECONDS };
    await takeIpSlot(c, ctx.db, { policy: 'onboarding', ip: ipOf(c), ...window });
    return c.json(presentSession(await signUpAnonymously(ctx, { language: localeOf(c), data: body.data ?? {} })), 200);
  });

  router.add(CREATE_SESSION, async (c) => {
    const grant = c.req.query('grant_type');
    if (grant === 'password') return authError(c, 422, 'email_provider_disabled', 'Email logins are disabled');
    if (grant !== 'refresh_token' && grant !== 'id_token')
      return authError(c, 400, 'invalid_credentials', 'unsupported_grant_type');
    const window = { limit: ctx.policy.limits.authPer5Minutes, windowSeconds: FIVE_MINUTES_SECONDS };
    await takeIpSlot(c, ctx.db, { policy: 'auth', ip: ipOf(c), ...window });
    const body: unknown = await c.req.json();
    return grant === 'id_token' ? answerIdToken(c, ctx, body, asUser) : answerRefresh(c, ctx, Object(body));
  });

  router.add(GET_SIGNING_KEYS, (c) => {
    c.header('Cache-Control', `public, max-age=${JWKS_SECONDS}`);
    return c.json(ctx.tokens.jwks(), 200);
  });
}

async function answerRefresh(c: HttpContext, ctx: Context, body: { refresh_token?: unknown }): Promise<Response> {
  const token = body.refresh_token;
  if (typeof token !== 'string' || token === '') {
    return oauthError(c, 'invalid_request', 'refresh_token required');
  }
  const session = await refreshSession(ctx, token);
  if (typeof session === 'string') return authError(c, 400, ...REFRESH_ERRORS[session]);
  return c.json(presentSession(session), 200);
}

async function answerIdToken(
  c: HttpContext,
  ctx: Context,
  body: unknown,
  asUser: MiddlewareHandler<HttpEnv>,
): Promise<Response> {
  const parsed = IdTokenGrant.safeParse(body);
  if (!parsed.success) return oauthError(c, 'invalid request', 'id_token required');
  const { provider, id_token: identityToken, nonce = null, link_identity: isLinking } = parsed.data;
  if (provider !== 'apple' && provider !== 'https://appleid.apple.com')
    return authError(c, 400, 'provider_disabled', 'Provider is not enabled');
  try {
    if (!isLinking) {
      const input = { identityToken, nonce: nonce || null, language: localeOf(c) };
      return c.json(presentSession(await signInWithApple(ctx, input)), 200);
    }
    let answer: Response | undefined;
    await asUser(c, async () => {
      answer = await link(c, ctx, { identityToken, nonce: nonce || null });
    });
    if (!answer) throw new Error('the guard has not called the handler');
    return answer;
  } catch (error) {
    if (isRefusedIdentity(error)) return oauthError(c, 'invalid request', 'Bad ID token');
    throw error;
  }
}

async function link(
  c: HttpContext,
  ctx: Context,
  proof: { identityToken: string; nonce: string | null },
): Promise<Response> {
  const before = await readAuthUser(ctx, callerId(c));
  const input = { userId: callerId(c), ...proof, authorizationCode: null, mayMerge: false };
  const linked = before?.appleSub ? null : await linkAppleIdentity(ctx, input).catch(nullIfOtherAccount);
  if (linked?.outcome !== 'linked')
    return authError(c, 422, 'identity_already_exists', 'Identity is already linked to another user');
  const session: Session = await openSession(ctx, linked.userId);
  return c.json(presentSession(session), 200);
}

function nullIfOtherAccount(error: unknown): null {
  if (error instanceof Problem && error.code === 'ERR_4008') return null;
  throw error;
}

function isRefusedIdentity(error: unknown): boolean {
  return error instanceof Problem && error.code === 'ERR_4005' && error.details.reason === 'identity_token';
}
