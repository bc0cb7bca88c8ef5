import type { JWTPayload } from 'jose';
import { Problem } from '../../kernel/errors.ts';
import { parseUuid } from '../../kernel/ids.ts';
import { createSignedTokens, RefusedToken, type SignedTokenOptions } from '../../kernel/signed-tokens.ts';
import type { TokenClaims, TokenSubject, Tokens } from '../context.ts';
import { createVerifiedTokens } from './verified-tokens.ts';

export type { PublicJwk, SigningJwk } from '../../kernel/signed-tokens.ts';

/** The lifetime of an access token: short, because only this server knows that its session was closed. Supabase's clients renew it. */
export const ACCESS_TOKEN_SECONDS = 3600;
const AUDIENCE = 'authenticated';

export type TokenOptions = Omit<SignedTokenOptions, 'audience'>;

/** Signs and verifies access tokens: ES256 JWTs with the claims that Supabase's clients expect. */
export function createTokens(options: TokenOptions): Tokens {
  const { clock } = options;
  const signed = createSignedTokens({ ...options, audience: AUDIENCE });
  const verified = createVerifiedTokens(clock);

  return {
    async sign(subject) {
      const expiresAt = Math.floor(clock.now().getTime() / 1000) + ACCESS_TOKEN_SECONDS;
      const accessToken = await signed.sign(subject.userId, claimsOf(subject), expiresAt);
      return { accessToken, expiresIn: ACCESS_TOKEN_SECONDS, expiresAt };
    },

    async verify(token) {
      const known = verified.get(token);
      if (known) return known;
      try {
        const claims = readClaims(await signed.verify(token));
        verified.add(token, claims);
        return claims;
      } catch (cause) {
        if (!(cause instanceof RefusedToken)) throw cause;
        throw new Problem('ERR_4005', { details: { reason: cause.fault }, cause });
      }
    },

    jwks: () => ({ keys: signed.keys.map((key) => ({ ...key, use: 'sig', key_ops: ['verify'], ext: true })) }),
  };
}

function claimsOf({ sessionId, isAnonymous, amr, email, appMetadata, userMetadata }: TokenSubject): JWTPayload {
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

function readClaims(payload: JWTPayload): TokenClaims {
  const userId = parseUuid(payload.sub);
  const sessionId = parseUuid(payload.session_id);
  if (userId === null || payload.exp === undefined) throw new RefusedToken('invalid');
  return { userId, sessionId, isAnonymous: payload.is_anonymous === true, expiresAt: payload.exp };
}
