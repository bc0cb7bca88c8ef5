import type { MiddlewareHandler } from 'hono';
import { cors as honoCors } from 'hono/cors';

/** Request headers of our own clients, of Supabase's clients and of event streams. */
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
 * Allows pages from `origins` to call the API (`*`: any page) and answers every preflight. The API uses no cookies: a page
 * needs a token of its own, so allowing every origin exposes nothing.
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
