import { errors, type JWTVerifyResult, jwtVerify, SignJWT } from 'jose';
import type { Clock } from '../../kernel/clock.ts';
import { Problem } from '../../kernel/errors.ts';
import { parseUuid } from '../../kernel/ids.ts';
import type { TokenClaims, TokenSubject, Tokens } from '../context.ts';
import { createVerifiedTokens } from './verified-tokens.ts';

/** The lifetime of an access token: short, because only this server knows that its session was closed. Supabase's clients renew it. */
export const ACCESS_TOKEN_SECONDS = 3600;
const AUDIENCE = 'authenticated';
/**
 * The 64 bytes of an ES256 signature as base64url, whose last character has four unused bits. They must be zero; otherwise a
 * token with another last character would still be accepted.
 */
const SIGNATURE = /\.[A-Za-z0-9_-]{85}[AQgw]$/;

/** A public ES256 key; `kid` names it in the tokens and in the JWKS. */
export type PublicJwk = { kty: 'EC'; crv: 'P-256'; alg: 'ES256'; x: string; y: string; kid: string };
export type SigningJwk = PublicJwk & { d: string };

export type TokenOptions = {
  privateKey: SigningJwk;
  /** Retired keys whose tokens are still accepted. */
  previousKeys?: PublicJwk[];
  clock: Clock;
  /** Written as `iss`; verification does not check it. */
  issuer: string;
};

/** Signs and verifies access tokens: ES256 JWTs with the claims that Supabase's clients expect. */
export function createTokens({ privateKey, previousKeys = [], clock, issuer }: TokenOptions): Tokens {
  const retired = previousKeys.filter(({ kid }) => kid !== privateKey.kid);
  const keys = new Map([privateKey, ...retired].map((key) => [key.kid, publicHalf(key)]));
  const verified = createVerifiedTokens(clock);
  const unixNow = () => Math.floor(clock.now().getTime() / 1000);

  return {
    async sign(subject) {
      const expiresAt = unixNow() + ACCESS_TOKEN_SECONDS;
      const accessToken = await new SignJWT(claimsOf(subject))
        .setProtectedHeader({ alg: 'ES256', kid: privateKey.kid, typ: 'JWT' })
        .setIssuer(issuer)
        .setSubject(subject.userId)
        .setAudience(AUDIENCE)
        .setIssuedAt(expiresAt - ACCESS_TOKEN_SECONDS)
        .setExpirationTime(expiresAt)
        .sign(privateKey);
      return { accessToken, expiresIn: ACCESS_TOKEN_SECONDS, expiresAt };
    },

    async verify(token) {
      const known = verified.get(token);
      if (known) return known;
      try {
        if (!SIGNATURE.test(token)) throw new errors.JWSInvalid();
        // The signature decides. For an unknown `kid` the current key is tried.
        const findKey = ({ kid = privateKey.kid }) => keys.get(kid) ?? publicHalf(privateKey);
        const options = { algorithms: ['ES256'], audience: AUDIENCE, currentDate: clock.now() };
        const claims = readClaims(await jwtVerify(token, findKey, options));
        verified.add(token, claims);
        return claims;
      } catch (cause) {
        // Any other error is a server fault. It must not become a 401, which would sign the caller out.
        if (!(cause instanceof errors.JOSEError)) throw cause;
        const reason = cause instanceof errors.JWTExpired ? 'expired' : 'invalid';
        throw new Problem('ERR_4005', { details: { reason }, cause });
      }
    },

    jwks: () => ({ keys: [...keys.values()].map((key) => ({ ...key, use: 'sig', key_ops: ['verify'], ext: true })) }),
  };
}

function publicHalf({ kty, crv, alg, x, y, kid }: PublicJwk): PublicJwk {
  return { kty, crv, alg, x, y, kid };
}

function claimsOf({ sessionId, isAnonymous, amr, email, appMetadata, userMetadata }: TokenSubject) {
  return {
    email: email ?? '',
    phone: '',
    app_metadata: appMetadata ?? {},
    user_metadata: userMetadata ?? {},
    role: 'authenticated',
    aal: 'aal1',
    amr,
    session_id: sessionId,
    is_anonymous: isAnonymous,
  };
}

function readClaims({ payload }: JWTVerifyResult): TokenClaims {
  const userId = parseUuid(payload.sub);
  const sessionId = parseUuid(payload.session_id);
  if (userId === null || payload.exp === undefined) throw new errors.JWTInvalid();
  return { userId, sessionId, isAnonymous: payload.is_anonymous === true, expiresAt: payload.exp };
}
