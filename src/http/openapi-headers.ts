/** Response headers, described once and referenced by every route that sends them. */
import type { Api } from './api.ts';

const HEADERS = {
  RequestId: [
    'X-Request-Id',
    'Identifies this request in the server’s logs. Quote it when you report a problem.',
    'string',
  ],
  ContentLanguage: ['Content-Language', 'The language of the message: `en`, `tr` or `es`.', 'string'],
  WwwAuthenticate: ['WWW-Authenticate', '`Bearer`; with `error="invalid_token"` if the request had a token.', 'string'],
  RetryAfter: ['Retry-After', 'The number of seconds to wait before repeating the request, if known.', 'integer'],
  RateLimitPolicy: [
    'RateLimit-Policy',
    'The rate limit: `"generations";q=10;w=3600` means 10 in 3600 seconds.',
    'string',
  ],
  RateLimit: [
    'RateLimit',
    'What is left of the limit: `"generations";r=7;t=1200` means 7 in the next 1200 seconds.',
    'string',
  ],
  IdempotentReplay: ['X-Idempotent-Replay', '`true` if this is the stored response of an earlier request.', 'string'],
  ETag: ['ETag', 'A strong validator. Send it as `If-None-Match` to get a 304 if nothing has changed.', 'string'],
  CacheControl: ['Cache-Control', 'How long the response may be cached.', 'string'],
  AcceptRanges: ['Accept-Ranges', '`bytes`: the file supports range requests.', 'string'],
  ContentRange: [
    'Content-Range',
    'The range of bytes and the size of the file, such as `bytes 0-1023/184320`.',
    'string',
  ],
  ContentDisposition: [
    'Content-Disposition',
    '`attachment` with a file name if the request had a `download` parameter.',
    'string',
  ],
} as const satisfies Record<string, readonly [name: string, description: string, type: 'string' | 'integer']>;

export type HeaderName = keyof typeof HEADERS;

/** Returns references to these headers for a response in the document. Every response has a request id. */
export function headersOf(names: readonly HeaderName[]) {
  const all: HeaderName[] = ['RequestId', ...names];
  return Object.fromEntries(all.map((name) => [HEADERS[name][0], { $ref: `#/components/headers/${name}` }]));
}

/** Adds the header components that the references point to. */
export function registerHeaders(api: Api): void {
  for (const [name, [, description, type]] of Object.entries(HEADERS)) {
    api.openAPIRegistry.registerComponent('headers', name, { description, schema: { type } });
  }
}
