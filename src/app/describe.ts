/** The head of the OpenAPI document: what holds for every route. */
import type { Api } from '../http/api.ts';
import { registerHeaders } from '../http/openapi-headers.ts';

const DESCRIPTION = `The backend for apps that sell AI-generated video by credits.

From a fresh installation to a playing video it takes four calls: \`device-check\` lets the device in, \`get-models\` says what
can be made, \`generate-video\` pays for it, and \`job-events\` or \`get-video-status\` tells when it plays.

**Who calls** is known by \`Authorization: Bearer <access token>\` alone. A \`user_id\` that is sent along is only compared with it.

**Errors** have one shape, \`{"error": {"code", "message", "details"}}\`: branch on \`code\`, show \`message\`, which follows
\`Accept-Language\` (English, Turkish, Spanish). Every answer has an \`X-Request-Id\` to quote.

**Repeats** are safe: a call with an \`Idempotency-Key\` that had no answer is sent again with the same key, and never pays twice.

**Limits** are told by \`RateLimit\` and \`RateLimit-Policy\`; a 429 says in \`Retry-After\` when to come back.

**Units**: credits are integers, times are UTC as \`YYYY-MM-DDTHH:mm:ss.SSSZ\`, ids are lower-case UUIDs, and what is not known
is \`null\`. Keys that we do not know are ignored.`;

const TAGS = [
  { name: 'Accounts', description: 'Let a device in, and see or change whose account it is.' },
  { name: 'Sessions', description: 'Keep a session alive, as the Supabase auth clients do; verify its tokens.' },
  { name: 'Models', description: 'What can be made, at what price, with which settings.' },
  { name: 'Video jobs', description: 'Pay for a video, follow it, stop it, list and delete what was made.' },
  { name: 'Credits', description: 'The balance, and the ledger that explains it.' },
  { name: 'Media', description: 'The files, at addresses that open by themselves for a day.' },
  {
    name: 'Storage',
    description: 'Pictures to animate: upload, read, list and delete them, as the Supabase storage clients do.',
  },
  { name: 'Operations', description: 'For whoever runs the server.' },
];

/** Serves the document of all routes declared so far at `/openapi.json`. */
export function describe(api: Api): void {
  registerHeaders(api);
  api.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The `access_token` of `device-check`, good for an hour; `/auth/v1/token` renews it.',
  });
  api.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: { title: 'Rendio', version: '0.1.0', description: DESCRIPTION, license: { name: 'MIT' } },
    servers: [{ url: '/', description: 'This server' }],
    tags: TAGS,
  });
}
