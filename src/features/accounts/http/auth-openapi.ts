import { z } from '@hono/zod-openapi';
import { jsonContent } from '../../../http/openapi.ts';
import { headersOf } from '../../../http/openapi-headers.ts';
import { rawPublicRoute } from '../../../http/route.ts';
import { EXAMPLE_DETAILS } from '../../../kernel/messages/examples.ts';
import { messageFor } from '../../../kernel/messages/index.ts';
import { Session } from './auth-schemas.ts';
import { APPLE_SESSION, IDENTITY_TOKEN, SESSION } from './examples.ts';

const TAGS = ['Sessions'];

/** With `X-Supabase-Api-Version`: `code` and `message`. Without it: `code`, `error_code` and `msg`. */
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
    keys: z.array(z.record(z.string(), z.unknown())).openapi({ description: 'JSON Web Keys (EC, P-256) for ES256.' }),
  })
  .openapi('Keys');

const TOKEN_ERRORS = {
  refresh_token_not_found: 'Invalid Refresh Token: Refresh Token Not Found',
  refresh_token_already_used: 'Invalid Refresh Token: Already Used',
  session_expired: 'Invalid Refresh Token: Session Expired',
  session_not_found: 'Invalid Refresh Token: No Valid Session Found',
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

/** An error response in the format of Supabase's auth clients. */
export function errorResponse(status: number, description: string, errors: Record<string, string>) {
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

const ERROR_RESPONSES = {
  400: errorResponse(
    400,
    `The refresh token is no longer valid: ${Object.keys(TOKEN_ERRORS)
      .map((code) => `\`${code}\``)
      .join(', ')}. Delete the session and onboard the device again.`,
    TOKEN_ERRORS,
  ),
  403: errorResponse(403, '`user_banned`: the account is banned.', {
    user_banned: 'Invalid Refresh Token: User Banned',
  }),
  413: errorResponse(413, '`request_entity_too_large`: the body is too large. Send only what is listed.', {
    request_entity_too_large: messageFor('ERR_4014', 'en', EXAMPLE_DETAILS.ERR_4014),
  }),
  415: errorResponse(415, '`validation_failed`: the body is not JSON. Send `application/json`.', {
    validation_failed: messageFor('ERR_4015', 'en', EXAMPLE_DETAILS.ERR_4015),
  }),
  429: errorResponse(429, '`over_request_rate_limit`. Wait for `Retry-After` seconds. The token stays valid.', {
    over_request_rate_limit: messageFor('ERR_4004', 'en', { retry_after: 30 }),
  }),
  500: errorResponse(500, '`unexpected_failure`. Retry with the same token, which stays valid.', {
    unexpected_failure: messageFor('ERR_6003', 'en'),
  }),
  503: errorResponse(503, '`unexpected_failure`. Retry later with the same token, which stays valid.', {
    unexpected_failure: messageFor('ERR_6001', 'en'),
  }),
};

const OAuthError = z
  .object({ error: z.string(), error_description: z.string() })
  .openapi('OAuthError', { description: 'Why a grant was refused, in the format of OAuth.' });

const BAD_REQUEST = {
  ...ERROR_RESPONSES[400],
  content: {
    'application/json': {
      schema: z.union([AuthError, OAuthError]),
      examples: {
        ...ERROR_RESPONSES[400].content['application/json'].examples,
        bad_id_token: {
          summary: 'The identity token is refused',
          value: { error: 'invalid request', error_description: 'Bad ID token' },
        },
        invalid_nonce: {
          summary: 'The identity token carries the hash of another nonce',
          value: { error: 'invalid nonce', error_description: 'Nonces mismatch' },
        },
        provider_disabled: {
          summary: 'Another provider than Apple, or Apple is not configured',
          value: { code: 400, error_code: 'provider_disabled', msg: 'Provider (issuer "google") is not enabled' },
        },
      },
    },
  },
};

export const CREATE_SESSION = rawPublicRoute({
  method: 'post',
  path: '/auth/v1/token',
  tags: TAGS,
  operationId: 'createSession',
  summary: 'Refresh a session, or sign in with Apple',
  description:
    'With `grant_type=refresh_token`, exchanges a refresh token for a new access token and a new refresh token. Call it before ' +
    'the access token expires, or after a 401. A refresh token can be exchanged once. If the response was lost, the same token ' +
    'returns the same new refresh token until that one is used.\n\nWith `grant_type=id_token`, opens a session for the Apple ' +
    'user of an identity token; with `link_identity` and a guest’s bearer token, the guest’s account becomes that person’s, if ' +
    'they have none yet. Errors have the format of the Supabase clients: `{code, message}` with the header ' +
    '`X-Supabase-Api-Version`, `{code, error_code, msg}` without it.',
  takesJson: true,
  documents: {
    query: z.object({ grant_type: z.enum(['refresh_token', 'id_token']).openapi({ example: 'refresh_token' }) }),
    body: jsonContent(
      z.object({
        refresh_token: z.string().nullish(),
        provider: z.string().nullish().openapi({ description: 'Only `apple`.' }),
        id_token: z.string().nullish(),
        nonce: z.string().nullish().openapi({ description: 'The raw nonce, if the token carries one.' }),
        link_identity: z.boolean().nullish(),
      }),
      {
        refresh: { summary: 'The current refresh token', value: { refresh_token: SESSION.refresh_token } },
        apple: { summary: 'Sign in with Apple', value: { provider: 'apple', id_token: IDENTITY_TOKEN } },
      },
    ),
  },
  responses: {
    ...ERROR_RESPONSES,
    400: BAD_REQUEST,
    404: errorResponse(404, '`flow_state_not_found`: no code of a web page is exchanged here.', {
      flow_state_not_found: 'invalid flow state, no valid flow state found',
    }),
    422: errorResponse(
      422,
      '`identity_already_exists`: the Apple user has an account. Use `merge-guest-user`. `email_provider_disabled`, ' +
        '`phone_provider_disabled`: there are no passwords here.',
      { identity_already_exists: 'Identity is already linked to another user' },
    ),
    200: {
      description: 'The session with its new tokens',
      headers: headersOf(['RateLimit', 'RateLimitPolicy']),
      content: {
        'application/json': {
          schema: Session,
          examples: {
            guest: { summary: 'A guest', value: SESSION },
            apple: { summary: 'After Sign in with Apple', value: APPLE_SESSION },
          },
        },
      },
    },
  },
});

export const SIGN_UP = rawPublicRoute({
  method: 'post',
  path: '/auth/v1/signup',
  tags: TAGS,
  operationId: 'signUpAnonymously',
  summary: 'Create an anonymous account',
  description:
    'Creates an account of which no device is known, without initial credits, and opens a session. Apps that have DeviceCheck ' +
    'call `device-check` instead. Counts against the onboarding limit of the IP address.',
  takesJson: true,
  documents: {
    body: jsonContent(z.object({ data: z.record(z.string(), z.unknown()).nullish() }), {
      anonymous: { summary: 'As the Supabase clients send it', value: { data: {} } },
    }),
  },
  responses: {
    ...ERROR_RESPONSES,
    400: errorResponse(
      400,
      '`bad_json`: the body is not a JSON object, or `data` is none. `email_provider_disabled`, `phone_provider_disabled`: only ' +
        'anonymous accounts can be made here.',
      {
        bad_json: messageFor('ERR_4006', 'en', { field: 'body' }),
        email_provider_disabled: 'Email signups are disabled',
      },
    ),
    200: {
      description: 'The session',
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
  summary: 'Get the public signing keys',
  description:
    'Returns the public keys that verify access tokens, for a service that verifies them itself. Choose the key by the `kid` ' +
    'in the token’s header.',
  responses: {
    200: {
      description: 'A JWK set',
      headers: headersOf(['CacheControl']),
      content: { 'application/json': { schema: Keys, example: { keys: [EXAMPLE_KEY] } } },
    },
  },
});
