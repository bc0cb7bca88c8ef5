/** The descriptions of the routes of Supabase's auth API that need a user, and of what it says about itself. */
import { z } from '@hono/zod-openapi';
import { jsonContent } from '../../../http/openapi.ts';
import { headersOf } from '../../../http/openapi-headers.ts';
import { rawPublicRoute, rawUserRoute } from '../../../http/route.ts';
import { messageFor } from '../../../kernel/messages/index.ts';
import { errorResponse } from './auth-openapi.ts';
import { User } from './auth-schemas.ts';
import { SESSION } from './examples.ts';

const TAGS = ['Sessions'];

const FORBIDDEN =
  '`bad_jwt`, `session_not_found`, `user_not_found`, `user_banned`: the token opens nothing any more. Sign in again.';
const SESSION_NOT_FOUND = 'Session from session_id claim in JWT does not exist';

const USER_ERROR_RESPONSES = {
  401: errorResponse(401, '`no_authorization`: no bearer token was sent.', {
    no_authorization: 'This endpoint requires a valid Bearer token',
  }),
  403: errorResponse(403, FORBIDDEN, { session_not_found: SESSION_NOT_FOUND }),
  429: errorResponse(429, '`over_request_rate_limit`. Wait for `Retry-After` seconds.', {
    over_request_rate_limit: messageFor('ERR_4004', 'en', { retry_after: 30 }),
  }),
  500: errorResponse(500, '`unexpected_failure`. Retry.', { unexpected_failure: messageFor('ERR_6003', 'en') }),
  503: errorResponse(503, '`unexpected_failure`. Retry later.', { unexpected_failure: messageFor('ERR_6001', 'en') }),
};

const USER_RESPONSES = {
  ...USER_ERROR_RESPONSES,
  200: {
    description: 'The account',
    headers: headersOf(['RateLimit', 'RateLimitPolicy']),
    content: { 'application/json': { schema: User, example: SESSION.user } },
  },
};

export const GET_AUTH_USER = rawUserRoute({
  method: 'get',
  path: '/auth/v1/user',
  tags: TAGS,
  operationId: 'getAuthUser',
  summary: 'Get the account as the Supabase clients see it',
  description: 'Returns the account of the access token, with its Apple identity and what the app keeps with it.',
  responses: USER_RESPONSES,
});

export const UPDATE_AUTH_USER = rawUserRoute({
  method: 'put',
  path: '/auth/v1/user',
  tags: TAGS,
  operationId: 'updateAuthUser',
  summary: 'Keep data of the app with the account',
  description:
    'Merges `data` into `user_metadata`; null removes a field. At most 4 KB in all, since it is part of every access token. ' +
    'E-mail address, phone number and password cannot be set here.',
  takesJson: true,
  documents: {
    body: jsonContent(z.object({ data: z.record(z.string(), z.unknown()).nullish() }), {
      name: { summary: 'A name for the app’s own use', value: { data: { name: 'Ada' } } },
    }),
  },
  responses: {
    ...USER_RESPONSES,
    400: errorResponse(400, '`bad_json`: the body is not a JSON object, or `data` is none.', {
      bad_json: messageFor('ERR_4006', 'en', { field: 'data' }),
    }),
    403: errorResponse(403, `${FORBIDDEN} \`not_admin\`: \`app_metadata\` cannot be changed.`, {
      session_not_found: SESSION_NOT_FOUND,
      not_admin: 'Updating app_metadata requires admin privileges',
    }),
    413: errorResponse(413, '`request_entity_too_large`: too much data.', {
      request_entity_too_large: messageFor('ERR_4014', 'en'),
    }),
    422: errorResponse(422, '`email_provider_disabled`, `phone_provider_disabled`: only `data` can be changed.', {
      email_provider_disabled: 'Email addresses come from Sign in with Apple',
    }),
  },
});

export const SIGN_OUT = rawUserRoute({
  method: 'post',
  path: '/auth/v1/logout',
  tags: TAGS,
  operationId: 'signOut',
  summary: 'Sign out',
  description:
    'Ends sessions at once: all of the account (`global`, the default), this one (`local`), or all others (`others`). Their ' +
    'access tokens are refused from then on.',
  documents: {
    query: z.object({
      scope: z.enum(['global', 'local', 'others']).optional().openapi({ description: 'Which sessions end.' }),
    }),
  },
  responses: {
    ...USER_ERROR_RESPONSES,
    204: { description: 'The sessions have ended', headers: headersOf(['RateLimit', 'RateLimitPolicy']) },
    400: errorResponse(400, '`validation_failed`: an unknown scope.', {
      validation_failed: 'Unsupported logout scope "everywhere"',
    }),
  },
});

export const GET_AUTH_HEALTH = rawPublicRoute({
  method: 'get',
  path: '/auth/v1/health',
  tags: TAGS,
  operationId: 'getAuthHealth',
  summary: 'Whether the auth API is up',
  description: 'Answers as Supabase Auth does. `/readyz` says more.',
  responses: {
    200: {
      description: 'It is up',
      headers: headersOf([]),
      content: {
        'application/json': {
          schema: z.object({ version: z.string(), name: z.string(), description: z.string() }),
          example: { version: 'v2', name: 'GoTrue', description: 'The part of Supabase Auth that this server speaks' },
        },
      },
    },
  },
});

const Settings = z
  .object({
    external: z.record(z.string(), z.boolean()),
    disable_signup: z.boolean(),
    mailer_autoconfirm: z.boolean(),
    phone_autoconfirm: z.boolean(),
    sms_provider: z.string(),
    saml_enabled: z.boolean(),
    apple_authorize_url: z.string().nullable().openapi({
      description: 'In development: the path of the page that stands for Apple’s. Null: sign in at Apple.',
    }),
    app_store_url: z.string().nullable().openapi({
      description: 'In development: the path of the page that stands for the App Store. Null: buy in the App Store.',
    }),
  })
  .openapi('AuthSettings');

export const GET_AUTH_SETTINGS = rawPublicRoute({
  method: 'get',
  path: '/auth/v1/settings',
  tags: TAGS,
  operationId: 'getAuthSettings',
  summary: 'How people can sign in here',
  description: 'Answers as Supabase Auth does: which ways to sign in are switched on.',
  responses: {
    200: {
      description: 'The settings',
      headers: headersOf([]),
      content: {
        'application/json': {
          schema: Settings,
          example: {
            external: { anonymous_users: true, apple: true, email: false, phone: false },
            disable_signup: false,
            mailer_autoconfirm: false,
            phone_autoconfirm: false,
            sms_provider: '',
            saml_enabled: false,
            apple_authorize_url: null,
            app_store_url: null,
          },
        },
      },
    },
  },
});
