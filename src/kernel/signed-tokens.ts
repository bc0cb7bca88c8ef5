/** JSON web tokens signed with the server's ES256 key: those of users, and those of administrators, told apart by their audience. */
import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import type { Clock } from './clock.ts';

/**
 * The 64 bytes of an ES256 signature as base64url, whose last character has four unused bits. They must be zero; otherwise a
 * token with another last character would still be accepted.
 */
const SIGNATURE = /\.[A-Za-z0-9_-]{85}[AQgw]$/;

/** A public ES256 key; `kid` names it in the tokens and in the JWKS. */
export type PublicJwk = { kty: 'EC'; crv: 'P-256'; alg: 'ES256'; x: string; y: string; kid: string };
export type SigningJwk = PublicJwk & { d: string };

export type SignedTokenOptions = {
  privateKey: SigningJwk;
  /** Retired keys whose tokens are still accepted. */
  previousKeys?: PublicJwk[];
  clock: Clock;
  audience: string;
  /** Written as `iss`; verification does not check it. */
  issuer: string;
};

/** Why a token says nothing. */
export type TokenFault = 'expired' | 'invalid';

export type SignedTokens = {
  /** `expiresAt` in unix seconds. */
  sign(subject: string, claims: JWTPayload, expiresAt: number): Promise<string>;
  /** The token's claims; throws `RefusedToken` for one that this server did not sign for this audience, or that has expired. */
  verify(token: string): Promise<JWTPayload>;
  /** The keys that count, the current one first. */
  keys: PublicJwk[];
};

export class RefusedToken extends Error {
  override readonly name = 'RefusedToken';
  readonly fault: TokenFault;

  constructor(fault: TokenFault, cause?: unknown) {
    super(fault, { cause });
    this.fault = fault;
  }
}

export function createSignedTokens(options: SignedTokenOptions): SignedTokens {
  const { privateKey, previousKeys = [], clock, audience, issuer } = options;
  const retired = previousKeys.filter(({ kid }) => kid !== privateKey.kid);
  const keys = new Map([privateKey, ...retired].map((key) => [key.kid, publicHalf(key)]));

  return {
    sign: (subject, claims, expiresAt) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', kid: privateKey.kid, typ: 'JWT' })
        .setIssuer(issuer)
        .setSubject(subject)
        .setAudience(audience)
        .setIssuedAt(Math.floor(clock.now().getTime() / 1000))
        .setExpirationTime(expiresAt)
        .sign(privateKey),

    async verify(token) {
      if (!SIGNATURE.test(token)) throw new RefusedToken('invalid');
      try {
        // The signature decides. For an unknown `kid` the current key is tried.
        const findKey = ({ kid = privateKey.kid }) => keys.get(kid) ?? publicHalf(privateKey);
        const { payload } = await jwtVerify(token, findKey, {
          algorithms: ['ES256'],
          audience,
          currentDate: clock.now(),
        });
        return payload;
      } catch (cause) {
        // Any other error is a server fault. It must not become a 401, which would sign the caller out.
        if (!(cause instanceof errors.JOSEError)) throw cause;
        throw new RefusedToken(cause instanceof errors.JWTExpired ? 'expired' : 'invalid', cause);
      }
    },

    keys: [...keys.values()],
  };
}

function publicHalf({ kty, crv, alg, x, y, kid }: PublicJwk): PublicJwk {
  return { kty, crv, alg, x, y, kid };
}
