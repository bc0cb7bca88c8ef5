/** The headers of answers, described once and referred to by every route that sends them. */
import type { Api } from './api.ts';

const HEADERS = {
  RequestId: ['X-Request-Id', 'Names this request in our logs: quote it when you report a problem.', 'string'],
  ContentLanguage: ['Content-Language', 'The language of the sentence: `en`, `tr` or `es`.', 'string'],
  WwwAuthenticate: ['WWW-Authenticate', '`Bearer`, with `error="invalid_token"` where a token was sent.', 'string'],
  RetryAfter: [
    'Retry-After',
    'Whole seconds to wait before the same request is worth repeating, where we know.',
    'integer',
  ],
  RateLimitPolicy: ['RateLimit-Policy', 'The limit: `"generations";q=10;w=3600` is 10 in 3600 seconds.', 'string'],
  RateLimit: ['RateLimit', 'What is left of it: `"generations";r=7;t=1200` is 7, for 1200 seconds.', 'string'],
  IdempotentReplay: ['X-Idempotent-Replay', '`true` where this is the stored answer of an earlier call.', 'string'],
  ETag: ['ETag', 'Strong: send it as `If-None-Match` to hear 304 while nothing has changed.', 'string'],
  CacheControl: ['Cache-Control', 'How long a copy may be kept.', 'string'],
  AcceptRanges: ['Accept-Ranges', '`bytes`: parts of the file can be asked for.', 'string'],
  ContentRange: ['Content-Range', 'Which bytes these are, of how many.', 'string'],
  ContentDisposition: [
    'Content-Disposition',
    '`attachment` with a file name where `download` was asked for.',
    'string',
  ],
} as const satisfies Record<string, readonly [name: string, description: string, type: 'string' | 'integer']>;

export type HeaderName = keyof typeof HEADERS;

/** References to the headers, as a response of the document holds them; every answer has a request id. */
export function headersOf(names: readonly HeaderName[]) {
  const all: HeaderName[] = ['RequestId', ...names];
  return Object.fromEntries(all.map((name) => [HEADERS[name][0], { $ref: `#/components/headers/${name}` }]));
}

/** Puts what the references lead to into the document. */
export function registerHeaders(api: Api): void {
  for (const [name, [, description, type]] of Object.entries(HEADERS)) {
    api.openAPIRegistry.registerComponent('headers', name, { description, schema: { type } });
  }
}
