/** The head of the OpenAPI document: what holds for every route. */
import type { Api } from '../http/api.ts';
import { registerHeaders } from '../http/openapi-headers.ts';
import { originOf } from '../http/origin.ts';
import { registerProblemJson } from '../http/problem-json.ts';

const DESCRIPTION = `The backend for apps that sell AI-generated video for credits.

A new app installation needs four calls to get a video: \`device-check\` onboards the device, \`get-models\` lists the available
models, \`generate-video\` charges the price and starts a job, and \`job-events\` or \`get-video-status\` reports when the video is
ready to play.

**Authentication.** Send \`Authorization: Bearer <access token>\`. The token alone identifies the caller; a \`user_id\` in the
request is only compared with it.

**Errors** have one shape, \`{"error": {"code", "message", "details"}}\`. Branch on \`code\` and show \`message\`, which follows
\`Accept-Language\` (English, Turkish, Spanish). Every response has an \`X-Request-Id\`: quote it when you report a problem.
A client whose \`Accept\` prefers \`application/problem+json\` gets errors in the format of RFC 9457 instead, which the schema
\`Problem\` describes: the same code, message and details, whether a repeat may help and when, and the request id. This holds for all
routes but those under \`/auth/v1\` and \`/storage/v1\`, which have the formats of Supabase’s clients.

**Idempotency.** If a request with an \`Idempotency-Key\` gets no response, send it again with the same key. It is never charged
twice.

**Rate limits.** \`RateLimit\` and \`RateLimit-Policy\` show the limit that applies. A 429 says in \`Retry-After\` when to retry.

**Units.** Credits are integers, times are UTC as \`YYYY-MM-DDTHH:mm:ss.SSSZ\`, ids are lower-case UUIDs, and unknown values are
\`null\`. Unknown keys in a request are ignored. In an optional field, \`null\` means the same as nothing, and in a query so does an
empty value. A number that a double cannot hold is rejected.`;

const TAGS = [
  { name: 'Accounts', description: 'Onboard a device, and read or change the caller’s account.' },
  { name: 'Sessions', description: 'Refresh a session, as Supabase’s auth clients do, and verify access tokens.' },
  { name: 'Models', description: 'List the available models with their prices and settings.' },
  { name: 'Video jobs', description: 'Pay for a video, follow its progress, cancel it, and list and delete jobs.' },
  {
    name: 'Credits',
    description: 'Read the balance and the ledger that explains it, list what is for sale, and redeem codes.',
  },
  { name: 'Purchases', description: 'Credit purchases of the App Store, and buy in the web shop.' },
  {
    name: 'Media',
    description: 'Read files by signed URLs, which need no access token. They are valid for a day by default.',
  },
  {
    name: 'Storage',
    description: 'Upload, read, list and delete images for image-to-video, as Supabase’s storage clients do.',
  },
  {
    name: 'Admin',
    description:
      'For administrators. A token of `admin-open-session` or of `npm run admin -- token <email>` is needed.',
  },
  { name: 'Operations', description: 'For operators and providers: health checks and webhooks.' },
];

/** Serves the document of all routes declared so far at `/openapi.json`. */
export function describe(api: Api): void {
  registerHeaders(api);
  registerProblemJson(api);
  api.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The `access_token` of `device-check`. It is valid for an hour; renew it with `/auth/v1/token`.',
  });
  api.openAPIRegistry.registerComponent('securitySchemes', 'adminBearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The `access_token` of `admin-open-session`. It lasts an hour. Tokens of users do not count here.',
  });
  api.doc31('/openapi.json', (c) => ({
    openapi: '3.1.0',
    info: { title: 'Rendio', version: '0.1.0', description: DESCRIPTION, license: { name: 'MIT', identifier: 'MIT' } },
    // Absolute, because a client that is generated from a downloaded copy has no other.
    servers: [{ url: originOf(c), description: 'This server' }],
    tags: TAGS,
  }));
}
