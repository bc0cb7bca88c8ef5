/** The part of Supabase's auth API that its clients use for sessions, in Supabase's format. */
import type { MiddlewareHandler } from 'hono';
import type { IdentityFault } from '../../../apple/identity-token.ts';
import { type AuthErrorCode, authError, oauthError } from '../../../http/auth-dialect.ts';
import { callerId, callerSessionId } from '../../../http/caller.ts';
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
import { replaceSession } from '../session.ts';
import { signInWithApple, signUpAnonymously } from '../sign-in.ts';
import { type Proof, RefusedIdentity, verifyIdentity } from '../verify-identity.ts';
import { CREATE_SESSION, GET_SIGNING_KEYS, SIGN_UP } from './auth-openapi.ts';
import { IdTokenGrant, presentSession, SignUp } from './auth-schemas.ts';

const HOUR_SECONDS = 3600;
const FIVE_MINUTES_SECONDS = 300;
/** As long as Supabase's clients cache a key set. A new key is published this long before it signs. */
const JWKS_SECONDS = 600;

const REFRESH_ERRORS: Record<Exclude<RefreshFailure, 'banned'>, [AuthErrorCode, string]> = {
  not_found: ['refresh_token_not_found', 'Invalid Refresh Token: Refresh Token Not Found'],
  session_revoked: ['session_not_found', 'Invalid Refresh Token: No Valid Session Found'],
  session_expired: ['session_expired', 'Invalid Refresh Token: Session Expired'],
  reused: ['refresh_token_already_used', 'Invalid Refresh Token: Already Used'],
};

/** `asUser` is the guard of routes for users: for the one call that needs a user only in one of its forms. */
export type AuthRouteOptions = { ipOf: IpReader; asUser: MiddlewareHandler<HttpEnv> };

export function authRoutes(router: Router, ctx: Context, { ipOf, asUser }: AuthRouteOptions): void {
  router.add(SIGN_UP, async (c) => {
    const body = SignUp.safeParse(await c.req.json()).data;
    if (!body) return authError(c, 400, 'bad_json', 'Could not parse request body as JSON: data must be an object');
    if (body.email) return authError(c, 400, 'email_provider_disabled', 'Email signups are disabled');
    if (body.phone) return authError(c, 400, 'phone_provider_disabled', 'Phone signups are disabled');
    const { limits } = ctx.policy;
    const window = { limit: limits.onboardingPerHour, windowSeconds: HOUR_SECONDS };
    await takeIpSlot(c, ctx.db, { policy: 'onboarding', ip: ipOf(c), ...window });
    return c.json(presentSession(await signUpAnonymously(ctx, { language: localeOf(c), data: body.data ?? {} })), 200);
  });

  router.add(CREATE_SESSION, async (c) => {
    const grant = c.req.query('grant_type');
    if (grant !== 'refresh_token' && grant !== 'id_token') return refuseGrant(c, grant, Object(await c.req.json()));
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

/** The grants of Supabase Auth that are not offered here, as it answers where they are switched off. */
function refuseGrant(c: HttpContext, grant: string | undefined, body: { email?: unknown; phone?: unknown }): Response {
  switch (grant) {
    case 'password':
      if (body.email) return authError(c, 422, 'email_provider_disabled', 'Email logins are disabled');
      if (body.phone) return authError(c, 422, 'phone_provider_disabled', 'Phone logins are disabled');
      return authError(c, 400, 'validation_failed', 'missing email or phone');
    case 'pkce':
      return authError(c, 404, 'flow_state_not_found', 'invalid flow state, no valid flow state found');
    case 'web3':
      return authError(c, 422, 'web3_provider_disabled', 'Web3 provider is disabled');
    default:
      return authError(c, 400, 'invalid_credentials', 'unsupported_grant_type');
  }
}

async function answerRefresh(c: HttpContext, ctx: Context, body: { refresh_token?: unknown }): Promise<Response> {
  const token = body.refresh_token;
  if (typeof token !== 'string' || token === '') {
    return oauthError(c, 'invalid_request', 'refresh_token required');
  }
  const session = await refreshSession(ctx, token);
  // 403 as everywhere else, where the original has 400: the clients take both as final.
  if (session === 'banned') return authError(c, 403, 'user_banned', 'Invalid Refresh Token: User Banned');
  if (typeof session === 'string') return authError(c, 400, ...REFRESH_ERRORS[session]);
  return c.json(presentSession(session), 200);
}

const APPLE_ISSUERS = ['https://appleid.apple.com', 'https://account.apple.com'];
const IDENTITY_ERRORS: Record<IdentityFault, [string, string]> = {
  nonce_missing: ['invalid request', 'Passed nonce and nonce in id_token should either both exist or not.'],
  nonce_mismatch: ['invalid nonce', 'Nonces mismatch'],
  other: ['invalid request', 'Bad ID token'],
};

async function answerIdToken(
  c: HttpContext,
  ctx: Context,
  body: unknown,
  asUser: MiddlewareHandler<HttpEnv>,
): Promise<Response> {
  const parsed = IdTokenGrant.safeParse(body);
  if (!parsed.success) return oauthError(c, 'invalid request', 'id_token required');
  const { id_token: identityToken, link_identity: isLinking, ...fields } = parsed.data;
  const provider = fields.provider || fields.issuer;
  if (!provider) return oauthError(c, 'invalid request', 'provider or client_id and issuer required');
  const isApple = provider === 'apple' || APPLE_ISSUERS.includes(provider);
  const proof = { identityToken, nonce: fields.nonce || null };
  const answer = async () => {
    // Not 501, which auth-js takes for an outage and repeats.
    if (!isApple || !ctx.appleIdentity)
      return authError(c, 400, 'provider_disabled', `Provider (issuer "${provider}") is not enabled`);
    if (isLinking) return link(c, ctx, proof);
    return c.json(presentSession(await signInWithApple(ctx, { ...proof, language: localeOf(c) })), 200);
  };
  try {
    return isLinking ? await asCaller(c, asUser, answer) : await answer();
  } catch (error) {
    if (error instanceof RefusedIdentity) return oauthError(c, ...IDENTITY_ERRORS[error.fault]);
    throw error;
  }
}

/** Runs the guard of routes for users, and then the handler. */
async function asCaller(
  c: HttpContext,
  asUser: MiddlewareHandler<HttpEnv>,
  handle: () => Promise<Response>,
): Promise<Response> {
  let answer: Response | undefined;
  await asUser(c, async () => {
    answer = await handle();
  });
  if (!answer) throw new Error('the guard has not called the handler');
  return answer;
}

/** Links the Apple user to the caller's own account, and never to another: merging is `merge-guest-user`'s. */
async function link(c: HttpContext, ctx: Context, proof: Proof): Promise<Response> {
  const exists = (whose: string) => authError(c, 422, 'identity_already_exists', `Identity is already linked${whose}`);
  const before = await readAuthUser(ctx, callerId(c));
  if (before?.appleSub) {
    const { sub } = await verifyIdentity(ctx, proof);
    return exists(sub === before.appleSub ? '' : ' to another user');
  }
  const input = { userId: callerId(c), ...proof, authorizationCode: null, mayMerge: false };
  const linked = await linkAppleIdentity(ctx, input).catch(nullIfOtherAccount);
  if (linked?.outcome !== 'linked') return exists(' to another user');
  return c.json(presentSession(await replaceSession(ctx, linked.userId, callerSessionId(c))), 200);
}

function nullIfOtherAccount(error: unknown): null {
  if (error instanceof Problem && error.code === 'ERR_4008') return null;
  throw error;
}
