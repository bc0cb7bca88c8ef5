import type { Problem } from '../kernel/errors.ts';
import { messageFor } from '../kernel/messages/index.ts';
import type { HttpContext } from './env.ts';
import { NoAccess, type NoAccessReason } from './no-access.ts';
import { asProblem, headersOf, localeOf } from './problem.ts';

/** Supabase's clients send this header, and read `code` only if the response repeats it. */
const API_VERSION_HEADER = 'X-Supabase-Api-Version';
const API_VERSION = '2024-01-01';

export type AuthErrorCode =
  | 'bad_json'
  | 'bad_jwt'
  | 'email_provider_disabled'
  | 'flow_state_not_found'
  | 'identity_already_exists'
  | 'no_authorization'
  | 'not_admin'
  | 'phone_provider_disabled'
  | 'provider_disabled'
  | 'request_entity_too_large'
  | 'web3_provider_disabled'
  | 'user_not_found'
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

type Status = 400 | 401 | 403 | 404 | 405 | 413 | 415 | 422 | 429 | 500 | 501 | 503;

/** Returns an error response in the format of Supabase's auth clients, in the API version that they asked for. */
export function authError(
  c: HttpContext,
  status: Status,
  code: AuthErrorCode,
  message: string,
  headers: Record<string, string> = {},
): Response {
  const version = versionHeader(c);
  const body = version ? { code, message } : { code: status, error_code: code, msg: message };
  return c.json(body, status, { ...version, 'x-sb-error-code': code, ...headers });
}

/** The header of the response; null for the first version, which a missing, an earlier and a malformed date ask for. */
function versionHeader(c: HttpContext): Record<string, string> | null {
  const asked = c.req.header(API_VERSION_HEADER) ?? '';
  const isDate = /^\d{4}-\d\d-\d\d$/.test(asked) && !Number.isNaN(Date.parse(asked));
  return isDate && asked >= API_VERSION ? { [API_VERSION_HEADER]: API_VERSION } : null;
}

const NO_ACCESS: Record<NoAccessReason, [401 | 403, AuthErrorCode, string]> = {
  missing: [401, 'no_authorization', 'This endpoint requires a valid Bearer token'],
  malformed: [401, 'no_authorization', 'This endpoint requires a valid Bearer token'],
  bad_token: [
    403,
    'bad_jwt',
    'invalid JWT: unable to parse or verify signature, token is malformed or not signed here',
  ],
  signed_out: [403, 'session_not_found', 'Session from session_id claim in JWT does not exist'],
  gone: [403, 'user_not_found', 'User from sub claim in JWT does not exist'],
};

/** Responds to a grant that is refused, in the format of OAuth. */
export function oauthError(c: HttpContext, error: string, description: string): Response {
  return c.json({ error, error_description: description }, 400, versionHeader(c) ?? {});
}

const CODES: Record<number, AuthErrorCode> = {
  404: 'not_found',
  405: 'method_not_allowed',
  413: 'request_entity_too_large',
  429: 'over_request_rate_limit',
  500: 'unexpected_failure',
  501: 'provider_disabled',
  503: 'unexpected_failure',
};

/**
 * Turns any thrown error into the format of Supabase's auth clients. A server fault stays a 5xx, which the clients retry;
 * a 4xx would sign the user out for good.
 */
export function toAuthErrorResponse(c: HttpContext, error: unknown): Response {
  if (error instanceof NoAccess) return answerNoAccess(c, error);
  const problem = asProblem(error);
  if (problem.code === 'ERR_4013') return authError(c, 403, 'user_banned', 'User is banned');
  // Thrown by a verb: the account was deleted while the call was on its way.
  if (problem.code === 'ERR_4005' && problem.status === 401) return authError(c, ...NO_ACCESS.gone);
  const isFault = problem.status >= 500 && problem.status !== 501 && problem.status !== 503;
  const status = isFault ? 500 : (problem.status as Status);
  const message = messageFor(problem.code, localeOf(c), problem.details);
  return authError(c, status, codeOf(problem, status), message, headersOf(problem));
}

function answerNoAccess(c: HttpContext, error: NoAccess): Response {
  const [status, code, message] = NO_ACCESS[error.why];
  // The words by which some clients tell an expired token from a forged one.
  const text = error.details.reason === 'expired' ? EXPIRED : message;
  return authError(c, status, code, text, headersOf(error));
}

const EXPIRED = 'invalid JWT: unable to parse or verify signature, token has invalid claims: token is expired';
const NOT_JSON = ['malformed_text', 'malformed_json', 'not_an_object'];

function codeOf({ code, details }: Problem, status: Status): AuthErrorCode {
  const isNotJson = code === 'ERR_4006' && NOT_JSON.includes(String(details.reason));
  return isNotJson ? 'bad_json' : (CODES[status] ?? 'validation_failed');
}
