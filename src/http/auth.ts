import type { MiddlewareHandler } from 'hono';
import { Problem } from '../kernel/errors.ts';
import type { Caller, HttpEnv } from './env.ts';
import { HttpProblem } from './http-problem.ts';

/** Several times our longest token; what is longer is not worth a signature check. */
const HEADER_CHARACTERS_MAX = 8192;
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

export type AuthOptions = {
  /** Throws ERR_4005 for tokens that are not ours or have expired. */
  verify(token: string): Promise<Caller>;
  /** The Supabase clients send it as a bearer token while nobody is signed in: it counts as none. */
  anonKey?: string | undefined;
};

/** The token of an `Authorization` header; null where there is none. Throws ERR_4005 for what is not a bearer token. */
export function bearerToken(header: string | undefined, anonKey?: string): string | null {
  const text = header?.trim() ?? '';
  if (text === '') return null;
  const token = text.length <= HEADER_CHARACTERS_MAX ? BEARER.exec(text)?.[1] : undefined;
  if (token === undefined) throw refusal('invalid');
  return token === anonKey ? null : token;
}

/** Who calls, by their access token; null where none was sent. Throws ERR_4005 (401) for a token that does not hold. */
export async function readCaller(header: string | undefined, options: AuthOptions): Promise<Caller | null> {
  const token = bearerToken(header, options.anonKey);
  if (token === null) return null;
  try {
    return await options.verify(token);
  } catch (error) {
    const isRefusal = error instanceof Problem && error.code === 'ERR_4005';
    throw isRefusal ? refusal(error.details.reason, error) : error;
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

/** RFC 6750 names the error only where a token was sent. */
function refusal(reason: unknown, cause?: unknown): Problem {
  const headers = { 'WWW-Authenticate': 'Bearer error="invalid_token"' };
  return new HttpProblem('ERR_4005', { details: { reason }, headers, cause });
}
