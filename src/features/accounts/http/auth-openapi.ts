import { z } from '@hono/zod-openapi';
import { jsonContent } from '../../../http/openapi.ts';
import { headersOf } from '../../../http/openapi-headers.ts';
import { rawPublicRoute } from '../../../http/route.ts';
import { EXAMPLE_DETAILS } from '../../../kernel/messages/examples.ts';
import { messageFor } from '../../../kernel/messages/index.ts';
import { SESSION } from './examples.ts';
import { Session } from './schemas.ts';

const TAGS = ['Sessions'];

/** What the auth clients read: with `X-Supabase-Api-Version` the first two, without it the last three. */
const AuthError = z
  .object({
    code: z.union([z.string(), z.int()]),
    message: z.string().optional(),
    error_code: z.string().optional(),
    msg: z.string().optional(),
  })
  .openapi('AuthError');

const Keys = z
  .object({
    keys: z.array(z.record(z.string(), z.unknown())).openapi({ description: 'JSON Web Keys: EC, P-256, for ES256.' }),
  })
  .openapi('Keys');

const TOKEN_ERRORS = {
  refresh_token_not_found: 'Invalid Refresh Token: Refresh Token Not Found',
  refresh_token_already_used: 'Invalid Refresh Token: Already Used',
  session_expired: 'Invalid Refresh Token: Session Expired',
  session_not_found: 'Invalid Refresh Token: No Valid Session Found',
  user_banned: 'Invalid Refresh Token: User Banned',
};

const EXAMPLE_KEY = {
  kty: 'EC',
  crv: 'P-256',
  alg: 'ES256',
  use: 'sig',
  kid: 'k7Xh2mQp',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
};

/** A refusal in the dialect of the auth clients. */
function refusal(status: number, description: string, errors: Record<string, string>) {
  const examples = Object.entries(errors).map(([code, msg]) => [
    code,
    { summary: code, value: { code: status, error_code: code, msg } },
  ]);
  return {
    description,
    headers: headersOf(status < 429 ? [] : ['RetryAfter']),
    content: { 'application/json': { schema: AuthError, examples: Object.fromEntries(examples) } },
  };
}

const REFUSALS = {
  400: refusal(
    400,
    `The token is no longer valid: ${Object.keys(TOKEN_ERRORS)
      .map((code) => `\`${code}\``)
      .join(', ')}. Forget the session and onboard the device again.`,
    TOKEN_ERRORS,
  ),
  413: refusal(413, '`validation_failed`. Send the refresh token alone.', {
    validation_failed: messageFor('ERR_4014', 'en', EXAMPLE_DETAILS.ERR_4014),
  }),
  415: refusal(415, '`validation_failed`. Send `application/json`.', {
    validation_failed: messageFor('ERR_4015', 'en', EXAMPLE_DETAILS.ERR_4015),
  }),
  429: refusal(429, '`over_request_rate_limit`. Wait for `Retry-After` seconds; the token stays valid.', {
    over_request_rate_limit: messageFor('ERR_4004', 'en', { retry_after: 30 }),
  }),
  500: refusal(500, '`unexpected_failure`. Try again with the same token: it stays valid.', {
    unexpected_failure: messageFor('ERR_6003', 'en'),
  }),
  503: refusal(503, '`unexpected_failure`. Try again later with the same token: it stays valid.', {
    unexpected_failure: messageFor('ERR_6001', 'en'),
  }),
};

export const REFRESH_SESSION = rawPublicRoute({
  method: 'post',
  path: '/auth/v1/token',
  tags: TAGS,
  operationId: 'refreshSession',
  summary: 'Trade a refresh token for a new pair of tokens',
  description:
    'Before the access token expires, or after a 401. A refresh token can be traded once; where the answer was lost, the same ' +
    'token gets the same answer until its successor is used. Errors are in the dialect of the Supabase clients: with the ' +
    'header `X-Supabase-Api-Version` they read `{code, message}`, without it `{code, error_code, msg}`.',
  takesJson: true,
  documents: {
    query: z.object({ grant_type: z.literal('refresh_token').openapi({ example: 'refresh_token' }) }),
    body: jsonContent(z.object({ refresh_token: z.string() }), {
      refresh: { summary: 'The newest refresh token', value: { refresh_token: SESSION.refresh_token } },
    }),
  },
  responses: {
    ...REFUSALS,
    200: {
      description: 'The session with its new tokens',
      headers: headersOf(['RateLimit', 'RateLimitPolicy']),
      content: { 'application/json': { schema: Session, example: SESSION } },
    },
  },
});

export const GET_SIGNING_KEYS = rawPublicRoute({
  method: 'get',
  path: '/auth/v1/.well-known/jwks.json',
  tags: TAGS,
  operationId: 'getSigningKeys',
  summary: 'The public keys that verify access tokens',
  description: 'For a service that verifies our tokens by itself: pick the key by the `kid` of the token’s header.',
  responses: {
    200: {
      description: 'A JWK set',
      headers: headersOf(['CacheControl']),
      content: { 'application/json': { schema: Keys, example: { keys: [EXAMPLE_KEY] } } },
    },
  },
});
