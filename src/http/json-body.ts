import type { MiddlewareHandler } from 'hono';
import { Problem } from '../kernel/errors.ts';
import { readBytes } from './body.ts';
import { rejectEncoding } from './content-encoding.ts';
import type { HttpEnv } from './env.ts';
import { parseExactJsonObject } from './json-text.ts';
import { ownTurn } from './own-turn.ts';

/** Enough for a prompt, its settings and a signed transaction. */
export const JSON_BYTES_MAX = 64 * 1024;

/** Parsing and validating a larger body takes milliseconds. */
const SMALL_BYTES_MAX = 8 * 1024;

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json$/;
const UTF8_CHARSETS = ['', 'utf-8', 'utf8', 'us-ascii'];

export type JsonBodyOptions = {
  bytesMax?: number;
  /**
   * Accepts `text/plain`, as supabase-js labels a body that is a string. Only for routes that need a bearer token: a page of
   * another origin may send such a body without a preflight, but not with a token.
   */
  acceptsText?: boolean;
};

/**
 * Middleware that reads a JSON body before the route's schema validates it. Requires the JSON content type (or none), at
 * most `bytesMax` bytes and a well-formed object. Validators after it read the body from a rebuilt request.
 */
export function jsonBody(options: JsonBodyOptions = {}): MiddlewareHandler<HttpEnv> {
  const { bytesMax = JSON_BYTES_MAX, acceptsText = false } = options;
  return async (c, next) => {
    const { raw } = c.req;
    if (mayHaveBody(raw)) {
      rejectOtherTypes(raw.headers, acceptsText);
      rejectEncoding(raw.headers);
    }
    const bytes = await readBytes(raw, bytesMax);
    if (bytes.byteLength > SMALL_BYTES_MAX) await ownTurn();
    const body = JSON.stringify(parseExactJsonObject(bytes));
    const headers = new Headers(raw.headers);
    headers.set('Content-Type', 'application/json');
    headers.delete('Content-Length');
    // An empty body has become `{}`, so that the schema can name the missing field.
    c.req.raw = new Request(raw.url, { method: raw.method, headers, body, signal: raw.signal });
    await next();
  };
}

/**
 * Some clients send a content type without a body (curl: a form's), which is then ignored. The headers are checked first:
 * once `body` is touched, Node's adapter cannot drain a rejected body and cuts the connection under the next request.
 */
function mayHaveBody(request: Request): boolean {
  const length = request.headers.get('Content-Length');
  if (length !== null) return length !== '0';
  return request.headers.has('Transfer-Encoding') || request.body !== null;
}

function rejectOtherTypes(headers: Headers, acceptsText: boolean): void {
  const [type = '', ...parameters] = (headers.get('Content-Type') ?? '').toLowerCase().split(';');
  const charset = parameters.map((parameter) => parameter.trim()).find((parameter) => parameter.startsWith('charset='));
  const charsetName = charset?.slice('charset='.length).replaceAll('"', '') ?? '';
  const isJson = type.trim() === '' || JSON_TYPE.test(type.trim()) || (acceptsText && type.trim() === 'text/plain');
  if (isJson && UTF8_CHARSETS.includes(charsetName)) return;
  throw new Problem('ERR_4015', { details: { field: 'Content-Type', allowed: ['application/json'] } });
}
