import type { MiddlewareHandler } from 'hono';
import { cors as honoCors } from 'hono/cors';

/** Response headers that a page may read. auth-js reads an error's code only if it sees the API version. */
const EXPOSED_HEADERS = [
  'X-Request-Id',
  // A client with a wrong clock computes from it when its token expires.
  'Date',
  'X-Idempotent-Replay',
  'Retry-After',
  'RateLimit',
  'RateLimit-Policy',
  'ETag',
  'Allow',
  'Accept-Ranges',
  'Content-Range',
  'Content-Disposition',
  'WWW-Authenticate',
  'X-Supabase-Api-Version',
  'x-sb-error-code',
];

const ALLOWED_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
/** How long a browser may cache a preflight response. Chromium's maximum is two hours. */
const PREFLIGHT_SECONDS = 7200;

/**
 * Allows pages from `origins` to call the API (`*`: any page) and answers every preflight, whatever headers it asks for: tools
 * that trace requests add their own to every call. The API uses no cookies, so a page needs a token of its own.
 */
export function cors(origins: readonly string[] | '*'): MiddlewareHandler {
  const isOpen = origins === '*' || origins.includes('*');
  return honoCors({
    origin: isOpen ? '*' : [...origins],
    allowMethods: ALLOWED_METHODS,
    // Those that the preflight asks for.
    allowHeaders: [],
    exposeHeaders: EXPOSED_HEADERS,
    maxAge: PREFLIGHT_SECONDS,
  });
}
