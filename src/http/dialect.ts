import { toAuthErrorResponse } from './auth-dialect.ts';
import type { HttpContext } from './env.ts';
import { toStorageErrorResponse } from './storage-dialect.ts';

/** Returns an error in the format that the callers of its path understand; `answer` is the contract's. */
export function inDialect(
  c: HttpContext,
  error: unknown,
  answer: Response | Promise<Response>,
): Response | Promise<Response> {
  const [, api] = /^\/(auth|storage)\/v1(?:\/|$)/.exec(c.req.path) ?? [];
  if (api === 'storage') return toStorageErrorResponse(c, error, answer);
  return api === 'auth' ? toAuthErrorResponse(c, error) : answer;
}
