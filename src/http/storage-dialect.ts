import type { ErrorCode } from '../kernel/errors.ts';
import { messageFor } from '../kernel/messages/index.ts';
import type { HttpContext } from './env.ts';
import { asProblem, localeOf } from './problem.ts';

/** `X-Client-Info` of Supabase's clients: `supabase-js/2.119.1`, `storage-js/…`, `supabase-swift/…` and others. */
const CLIENT = /^(?:supabase|storage)[-\w]*\//i;

/** Supabase Storage's names for an error: a short one, and the code that its clients branch on. */
type Names = readonly [error: string, code: string];
const NAMES: Partial<Record<ErrorCode, Names>> = {
  ERR_4004: ['too_many_requests', 'SlowDown'],
  ERR_4005: ['Unauthorized', 'AccessDenied'],
  ERR_4006: ['invalid_request', 'InvalidRequest'],
  ERR_4007: ['not_found', 'NoSuchKey'],
  ERR_4008: ['Duplicate', 'KeyAlreadyExists'],
  ERR_4013: ['Unauthorized', 'AccessDenied'],
  ERR_4014: ['Payload too large', 'EntityTooLarge'],
  ERR_4015: ['invalid_mime_type', 'InvalidMimeType'],
  ERR_4016: ['invalid_request', 'InvalidRequest'],
  ERR_6001: ['DatabaseError', 'DatabaseTimeout'],
  ERR_6002: ['StorageError', 'InternalError'],
};
const OTHER: Names = ['internal', 'InternalError'];
const INVALID_JWT: Names = ['Unauthorized', 'InvalidJWT'];

/**
 * Turns any thrown error into the format of Supabase's storage clients (supabase-swift needs `error` to be a string). Other
 * clients get `answer`, which has the contract's error format. The HTTP status is the same for both.
 */
export async function toStorageErrorResponse(
  c: HttpContext,
  error: unknown,
  answer: Response | Promise<Response>,
): Promise<Response> {
  const { status: httpStatus, headers } = await answer;
  if (!CLIENT.test(c.req.header('X-Client-Info') ?? '')) return answer;
  const { code, status, details } = asProblem(error);
  const isForbidden = code === 'ERR_4005' && status === 403;
  const [name, supabaseCode] = code === 'ERR_4005' && !isForbidden ? INVALID_JWT : (NAMES[code] ?? OTHER);
  const message = messageFor(code, localeOf(c), isForbidden ? { reason: 'forbidden', ...details } : details);
  const body = { statusCode: String(status), error: name, message, code: supabaseCode, details: { ...details, code } };
  return new Response(JSON.stringify(body), { status: httpStatus, headers });
}
