import type { MiddlewareHandler } from 'hono';
import { Problem } from '../kernel/errors.ts';
import type { Caller, HttpEnv } from './env.ts';
import { HttpProblem } from './http-problem.ts';

/** Several times the length of our longest token; a longer header is rejected without a signature check. */
const HEADER_CHARACTERS_MAX = 8192;
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
  if (token === undefined) throw invalidToken('invalid');
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
    throw isInvalid ? invalidToken(error.details.reason, error) : error;
  }
}

/** Middleware for routes that need a user: sets `caller`, or answers 401. */
export function requireCaller(options: AuthOptions): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const caller = await readCaller(c.req.header('Authorization'), options);
    if (caller === null) throw new Problem('ERR_4005');
    c.set('caller', caller);
    await next();
  };
}

/** RFC 6750: the challenge names the error only if a token was sent. */
function invalidToken(reason: unknown, cause?: unknown): Problem {
  const headers = { 'WWW-Authenticate': 'Bearer error="invalid_token"' };
  return new HttpProblem('ERR_4005', { details: { reason }, headers, cause });
}
