import type { MiddlewareHandler } from 'hono';
import { cors as honoCors } from 'hono/cors';

/** What our own clients, the Supabase clients and event streams send. */
const ALLOWED_HEADERS = [
  'Authorization',
  'apikey',
  'x-client-info',
  'x-supabase-api-version',
  'x-region',
  'x-upsert',
  'x-metadata',
  'Accept-Language',
  'Cache-Control',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'If-Range',
  'Last-Event-ID',
  'Range',
  'X-Request-Id',
];

/** What a page may read. auth-js believes an error's code only when it sees the API version. */
const EXPOSED_HEADERS = [
  'X-Request-Id',
  // By which a client whose clock is wrong knows when its token ends.
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
/** How long a browser may remember the answer to its preflight. Chromium caps it at two hours. */
const PREFLIGHT_SECONDS = 7200;

/**
 * Lets pages of `origins` call us (`*`: any page) and answers every preflight. Cookies play no part: a page needs a token
 * of its own, so an open policy gives nothing away.
 */
export function cors(origins: readonly string[] | '*'): MiddlewareHandler {
  const isOpen = origins === '*' || origins.includes('*');
  return honoCors({
    origin: isOpen ? '*' : [...origins],
    allowMethods: ALLOWED_METHODS,
    allowHeaders: ALLOWED_HEADERS,
    exposeHeaders: EXPOSED_HEADERS,
    maxAge: PREFLIGHT_SECONDS,
  });
}
