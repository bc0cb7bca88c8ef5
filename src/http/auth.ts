import type { MiddlewareHandler } from 'hono';
import { Problem } from '../kernel/errors.ts';
import type { Caller, HttpEnv } from './env.ts';
import { NoAccess } from './no-access.ts';

/** Several times the length of our longest token; a longer header is rejected without a signature check. */
const HEADER_CHARACTERS_MAX = 8192;
/** A bearer token that is none of ours, rather than another scheme. */
const ONE_WORD = /^Bearer \S+$/i;
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

export type AuthOptions = {
  /** Throws ERR_4005 for a token that this server did not sign, or that has expired. */
  verify(token: string): Promise<Caller>;
  /** Supabase's clients send it as a bearer token while no user is signed in. It counts as no token. */
  anonKey?: string | undefined;
};

/** Returns the token of an `Authorization` header, null without one. Throws ERR_4005 if it is not a bearer token. */
export function bearerToken(header: string | undefined, anonKey?: string): string | null {
  const text = header?.trim() ?? '';
  if (text === '') return null;
  const token = text.length <= HEADER_CHARACTERS_MAX ? BEARER.exec(text)?.[1] : undefined;
  if (token === undefined) throw new NoAccess(ONE_WORD.test(text) ? 'bad_token' : 'malformed');
  return token === anonKey ? null : token;
}

/** Returns the caller of an access token, null without a token. Throws ERR_4005 (401) if the token is not valid. */
export async function readCaller(header: string | undefined, options: AuthOptions): Promise<Caller | null> {
  const token = bearerToken(header, options.anonKey);
  if (token === null) return null;
  try {
    return await options.verify(token);
  } catch (error) {
    const isInvalid = error instanceof Problem && error.code === 'ERR_4005';
    throw isInvalid ? new NoAccess('bad_token', error) : error;
  }
}

/** Middleware for routes that need a user: sets `caller`, or answers 401. */
export function requireCaller(options: AuthOptions): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const caller = await readCaller(c.req.header('Authorization'), options);
    if (caller === null) throw new NoAccess('missing');
    c.set('caller', caller);
    await next();
  };
}
