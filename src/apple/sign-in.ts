/** Sign in with Apple for servers: exchanges an authorization code for a refresh token, and revokes it at the end. */
import { decodeJwt, importPKCS8, SignJWT } from 'jose';
import { z } from 'zod';
import type { Clock } from '../kernel/clock.ts';
import { readText } from './read-text.ts';
import type { TeamKey } from './team-token.ts';

/** `sub`: whose code it was, if Apple says so. `declined`: Apple does not accept the code. `unavailable`: a try may succeed later. */
export type CodeExchange =
  | { state: 'exchanged'; refreshToken: string; sub: string | null }
  | { state: 'declined'; cause: string }
  | { state: 'unavailable'; cause: string; isOurFault: boolean };

export type Revocation = { state: 'revoked' } | { state: 'unavailable'; cause: string; isOurFault: boolean };

/** Nothing throws: every failure is a result. `clientId` is the app or website that the identity token was made for. */
export type AppleSignIn = {
  /** A code can be exchanged once, within five minutes. */
  exchangeCode(clientId: string, code: string): Promise<CodeExchange>;
  /** Ends all tokens that Apple has given to this app for this person. Safe to repeat. */
  revoke(clientId: string, refreshToken: string): Promise<Revocation>;
};

export type AppleSignInOptions = TeamKey & {
  /** `/auth/token` and `/auth/revoke` are appended. */
  baseUrl: string;
  fetch: typeof fetch;
  clock: Clock;
  timeoutMs?: number;
};

const AUDIENCE = 'https://appleid.apple.com';
/** For one request. */
const SECRET_SECONDS = 300;
const BYTES_MAX = 100_000;

const Tokens = z.object({ refresh_token: z.string().min(1).max(4000), id_token: z.string().optional() });
/** One of OAuth's words. Anything else stays out of the log: a proxy may repeat what we sent. */
const Failure = z.object({ error: z.string().regex(/^[a-z_]{1,40}$/) });
/** Apple refuses our key, our names or our request, not the person's code. */
const OUR_FAULTS = ['invalid_client', 'unauthorized_client', 'unsupported_grant_type', 'invalid_scope'];
/** The code is the only part of the request that the app has a say in. */
const DECLINED = ['invalid_grant', 'invalid_request'];

type Answer = { status: number; body: unknown };
type Reply = Answer | { status: null; cause: string; isOurFault: boolean };

export function createAppleSignIn(options: AppleSignInOptions): AppleSignIn {
  const { fetch, clock, timeoutMs = 8_000 } = options;
  const base = options.baseUrl.replace(/\/+$/, '');

  async function clientSecret(clientId: string): Promise<string> {
    const now = Math.floor(clock.now().getTime() / 1000);
    return new SignJWT()
      .setProtectedHeader({ alg: 'ES256', kid: options.keyId })
      .setIssuer(options.teamId)
      .setSubject(clientId)
      .setAudience(AUDIENCE)
      .setIssuedAt(now)
      .setExpirationTime(now + SECRET_SECONDS)
      .sign(await importPKCS8(options.privateKey, 'ES256'));
  }

  async function post(path: string, clientId: string, fields: Record<string, string>): Promise<Reply> {
    const secret = await clientSecret(clientId).catch(() => null);
    if (secret === null) return { status: null, cause: 'the private key cannot be used', isOurFault: true };
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      const body = new URLSearchParams({ client_id: clientId, client_secret: secret, ...fields });
      const response = await fetch(`${base}${path}`, { method: 'POST', body, signal, redirect: 'error' });
      const read = await readText(response, BYTES_MAX, signal);
      return { status: response.status, body: 'text' in read ? parsed(read.text) : null };
    } catch (error) {
      // A code or a token must not reach the log: only the error's name.
      return { status: null, cause: error instanceof Error ? error.name : 'no answer', isOurFault: false };
    }
  }

  return {
    async exchangeCode(clientId, code) {
      const reply = await post('/auth/token', clientId, { grant_type: 'authorization_code', code });
      if (reply.status === null) return { state: 'unavailable', cause: reply.cause, isOurFault: reply.isOurFault };
      const tokens = Tokens.safeParse(reply.body);
      if (reply.status === 200 && tokens.success)
        return { state: 'exchanged', refreshToken: tokens.data.refresh_token, sub: subOf(tokens.data.id_token) };
      const cause = causeOf(reply);
      if (isDeclined(reply)) return { state: 'declined', cause };
      return { state: 'unavailable', cause, isOurFault: isOurFault(reply) };
    },

    async revoke(clientId, refreshToken) {
      const fields = { token: refreshToken, token_type_hint: 'refresh_token' };
      const reply = await post('/auth/revoke', clientId, fields);
      if (reply.status === null) return { state: 'unavailable', cause: reply.cause, isOurFault: reply.isOurFault };
      // An empty 200, also for a token that is not known any more; a page instead of it comes from a proxy.
      if (reply.status === 200 && (reply.body === '' || isPlainObject(reply.body))) return { state: 'revoked' };
      // It has been revoked, or has ended.
      if (reply.status === 400 && errorOf(reply) === 'invalid_grant') return { state: 'revoked' };
      // The request does not depend on the person: one that is malformed is ours.
      const isOurs = isOurFault(reply) || errorOf(reply) === 'invalid_request';
      return { state: 'unavailable', cause: causeOf(reply), isOurFault: isOurs };
    },
  };
}

function errorOf({ body }: Answer): string | null {
  return Failure.safeParse(body).data?.error ?? null;
}

function isOurFault(reply: Answer): boolean {
  return OUR_FAULTS.includes(errorOf(reply) ?? '');
}

function isDeclined(reply: Answer): boolean {
  return reply.status === 400 && DECLINED.includes(errorOf(reply) ?? '');
}

/** Straight from Apple: the signature adds nothing. */
function subOf(idToken: string | undefined): string | null {
  try {
    return (idToken && decodeJwt(idToken).sub) || null;
  } catch {
    return null;
  }
}

function isPlainObject(body: unknown): boolean {
  return typeof body === 'object' && body !== null && !('error' in body);
}

function causeOf(reply: Answer): string {
  const error = errorOf(reply);
  return `answered ${reply.status}${error ? `: ${error}` : ''}`;
}

function parsed(text: string): unknown {
  try {
    return text === '' ? '' : JSON.parse(text);
  } catch {
    return text;
  }
}
