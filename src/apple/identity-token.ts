/** Identity tokens of Sign in with Apple, and Apple's notifications about accounts, which are signed by the same keys. */
import { base64url, errors, type JWTPayload, jwtVerify } from 'jose';
import { z } from 'zod';
import type { Clock } from '../kernel/clock.ts';
import { sha256Hex } from '../kernel/hash.ts';
import { createIdentityKeys, KeysUnavailable } from './identity-keys.ts';

/** A person, as a verified identity token names them. `sub` is Apple's id of the person for this developer team. */
export type AppleUser = {
  sub: string;
  email: string | null;
  isEmailVerified: boolean;
  isPrivateEmail: boolean;
  /** The app or website that the token was made for. */
  clientId: string;
  expiresAt: Date;
};

export type AccountNotification = {
  /** Apple's id of this notification: a repeat has the same. */
  id: string;
  /** `consent-revoked`, `account-delete`, `email-disabled`, `email-enabled`, or one that is not known here. */
  type: string;
  /** Null in an event that names no person, which no known type does. */
  sub: string | null;
  /** When it happened; never in the future. */
  at: Date;
  email: string | null;
  isPrivateEmail: boolean | null;
};

/** Why a token is refused, where an app's developer has to know it. */
export type IdentityFault = 'nonce_missing' | 'nonce_mismatch' | 'other';

/** `refused`: it proves nothing. `unavailable`: Apple's keys cannot be fetched, so that nothing is known. `cause`: for the log. */
export type Unverified =
  | { state: 'refused'; cause: string; fault: IdentityFault }
  | { state: 'unavailable'; cause: string };

export type AppleIdentity = {
  /** A token that carries a nonce needs the raw nonce, and a nonce needs a token that carries it. */
  verifyToken(token: string, nonce: string | null): Promise<{ state: 'verified'; user: AppleUser } | Unverified>;
  verifyNotification(payload: string): Promise<{ state: 'verified'; notification: AccountNotification } | Unverified>;
};

export type AppleIdentityOptions = {
  /** The app's bundle id, and further audiences. */
  clientIds: readonly string[];
  /** `/auth/keys` is appended. */
  baseUrl: string;
  fetch: typeof fetch;
  clock: Clock;
};

const ISSUERS = ['https://appleid.apple.com', 'https://account.apple.com'];
/** Apple's tokens have about 1 KB. */
const TOKEN_CHARACTERS_MAX = 10_000;
/** No known type of a notification is longer. */
const TYPE_CHARACTERS_MAX = 50;
/** Apple's clock and ours differ a little. */
const TOLERANCE_SECONDS = 5;

/** Below it a time is in seconds, as in Apple's examples; above it in milliseconds, as Apple sends it. */
const SECONDS_MAX = 1e11;

/** Apple writes some claims as texts. */
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);
/** An address that we cannot keep is none. */
const email = z
  .string()
  .regex(/^[^\p{C}\s]{3,320}$/u)
  .nullable()
  .catch(null);
/** Apple's ids are digits, letters and points: nothing that looks like another id, or that a database cannot keep. */
const id = (charactersMax: number) =>
  z
    .string()
    .max(charactersMax)
    .regex(/^[\x21-\x7e]+$/);
const unixSeconds = z.number().max(SECONDS_MAX);

const TokenClaims = z.object({
  sub: id(255),
  exp: unixSeconds,
  iat: unixSeconds,
  nonce: z.string().optional(),
  email: email.default(null),
  email_verified: flag.catch(false).default(false),
  is_private_email: flag.catch(false).default(false),
});

const NotificationClaims = z.object({ jti: id(200), iat: unixSeconds, events: z.unknown() });
const NotificationEvent = z.object({
  type: id(1000).transform((type) => type.slice(0, TYPE_CHARACTERS_MAX)),
  sub: id(255).nullable().default(null),
  event_time: z.coerce.number().positive().optional().catch(undefined),
  email: email.default(null),
  is_private_email: flag.nullable().catch(null).default(null),
});

export function createAppleIdentity({ clientIds, baseUrl, fetch, clock }: AppleIdentityOptions): AppleIdentity {
  const keys = createIdentityKeys({ url: `${baseUrl.replace(/\/+$/, '')}/auth/keys`, fetch, clock });

  async function claimsOf(token: string): Promise<JWTPayload> {
    if (token.length > TOKEN_CHARACTERS_MAX) throw new errors.JWTInvalid('too long');
    if (!isOneSpelling(token)) throw new errors.JWTInvalid('not the only spelling');
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ['RS256'],
      issuer: ISSUERS,
      audience: [...clientIds],
      currentDate: clock.now(),
      clockTolerance: TOLERANCE_SECONDS,
    });
    // A list of audiences could name ours beside the one that the token was made for.
    if (typeof payload.aud !== 'string') throw new errors.JWTClaimValidationFailed('not one audience', payload, 'aud');
    if (payload.iat !== undefined && payload.iat * 1000 > clock.now().getTime() + TOLERANCE_SECONDS * 1000)
      throw new errors.JWTClaimValidationFailed('from the future', payload, 'iat');
    return payload;
  }

  return {
    verifyToken: (token, nonce) =>
      verified(async () => {
        const payload = await claimsOf(token);
        const claims = TokenClaims.parse(payload);
        await compareNonce(claims.nonce, nonce);
        const user: AppleUser = {
          sub: claims.sub,
          email: claims.email,
          isEmailVerified: claims.email_verified,
          isPrivateEmail: claims.is_private_email,
          clientId: String(payload.aud),
          expiresAt: new Date(claims.exp * 1000),
        };
        return { state: 'verified', user };
      }),

    verifyNotification: (payload) =>
      verified(async () => {
        const { jti, iat, events } = NotificationClaims.parse(await claimsOf(payload));
        const event = NotificationEvent.parse(eventIn(events));
        const notification = {
          id: jti,
          type: event.type === 'account-deleted' ? 'account-delete' : event.type,
          sub: event.sub,
          at: timeOf(event.event_time ?? iat, clock.now()),
          email: event.email,
          isPrivateEmail: event.is_private_email,
        };
        return { state: 'verified', notification };
      }),
  };
}

/**
 * Whether the token has no white space and no other signature text that decodes to the same bytes: a token that was used once is
 * known by its text, so it must not be possible to write it differently.
 */
function isOneSpelling(token: string): boolean {
  const [, signature] = /^[\w-]+\.[\w-]+\.([\w-]+)$/.exec(token) ?? [];
  if (signature === undefined) return false;
  try {
    return base64url.encode(base64url.decode(signature)) === signature;
  } catch {
    return false;
  }
}

/** Apple sends the event as a JSON text, and documents a list. */
function eventIn(events: unknown): unknown {
  const parsed: unknown = typeof events === 'string' ? JSON.parse(events) : events;
  return Array.isArray(parsed) && parsed.length === 1 ? parsed[0] : parsed;
}

/** A time from the future would outdate everything that happens until then. */
function timeOf(secondsOrMs: number, now: Date): Date {
  const ms = secondsOrMs < SECONDS_MAX ? secondsOrMs * 1000 : secondsOrMs;
  return new Date(Math.min(ms, now.getTime()));
}

/** The app hashes its nonce before it gives it to Apple, so that a token alone does not show it. */
async function compareNonce(claimed: string | undefined, raw: string | null): Promise<void> {
  if (claimed === undefined && raw === null) return;
  if (claimed === undefined || raw === null) throw new WrongNonce('nonce_missing');
  if ((await sha256Hex(raw)) !== claimed) throw new WrongNonce('nonce_mismatch');
}

class WrongNonce extends errors.JWTClaimValidationFailed {
  readonly fault: IdentityFault;

  constructor(fault: IdentityFault) {
    super(fault, {}, 'nonce');
    this.fault = fault;
  }
}

async function verified<Result>(verify: () => Promise<Result>): Promise<Result | Unverified> {
  try {
    return await verify();
  } catch (error) {
    if (error instanceof KeysUnavailable) return { state: 'unavailable', cause: error.message };
    const isBadToken = error instanceof errors.JOSEError || error instanceof z.ZodError || error instanceof SyntaxError;
    if (!isBadToken) throw error;
    return {
      state: 'refused',
      cause: error instanceof errors.JOSEError ? error.code : 'ERR_CLAIMS',
      fault: error instanceof WrongNonce ? error.fault : 'other',
    };
  }
}
