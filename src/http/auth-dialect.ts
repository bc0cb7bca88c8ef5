import { messageFor } from '../kernel/messages/index.ts';
import type { HttpContext } from './env.ts';
import { asProblem, headersOf, localeOf } from './problem.ts';

/** Supabase's clients send this header, and read `code` only if the response repeats it. */
const API_VERSION_HEADER = 'X-Supabase-Api-Version';
const API_VERSION = '2024-01-01';

export type AuthErrorCode =
  | 'refresh_token_not_found'
  | 'refresh_token_already_used'
  | 'session_expired'
  | 'session_not_found'
  | 'user_banned'
  | 'invalid_credentials'
  | 'over_request_rate_limit'
  | 'validation_failed'
  | 'not_found'
  | 'method_not_allowed'
  | 'unexpected_failure';

type Status = 400 | 401 | 403 | 404 | 405 | 413 | 415 | 429 | 500 | 503;

/** Returns an error response in the format of Supabase's auth clients, in the API version that they asked for. */
export function authError(
  c: HttpContext,
  status: Status,
  code: AuthErrorCode,
  message: string,
  headers: Record<string, string> = {},
): Response {
  const isVersioned = c.req.header(API_VERSION_HEADER) !== undefined;
  const body = isVersioned ? { code, message } : { code: status, error_code: code, msg: message };
  const version = isVersioned ? { [API_VERSION_HEADER]: API_VERSION } : {};
  return c.json(body, status, { ...version, 'x-sb-error-code': code, ...headers });
}

const CODES: Record<number, AuthErrorCode> = {
  404: 'not_found',
  405: 'method_not_allowed',
  429: 'over_request_rate_limit',
  500: 'unexpected_failure',
  503: 'unexpected_failure',
};

/**
 * Turns any thrown error into the format of Supabase's auth clients. A server fault stays a 5xx, which the clients retry;
 * a 4xx would sign the user out for good.
 */
export function toAuthErrorResponse(c: HttpContext, error: unknown): Response {
  const problem = asProblem(error);
  const status = problem.status >= 500 ? (problem.status === 503 ? 503 : 500) : (problem.status as Status);
  const message = messageFor(problem.code, localeOf(c), problem.details);
  return authError(c, status, CODES[status] ?? 'validation_failed', message, headersOf(problem));
}
