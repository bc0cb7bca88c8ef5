/** Sign in with Apple, sessions, export and deletion. */
import { z } from '@hono/zod-openapi';
import { userIdCheck } from '../../../http/api.ts';
import { BODY_ERRORS, errorResponses, jsonContent, USER_ERRORS, USER_ID_PARAMETER } from '../../../http/openapi.ts';
import { headersOf } from '../../../http/openapi-headers.ts';
import { publicRoute, rawUserRoute, userRoute } from '../../../http/route.ts';
import { AUTHORIZATION_CODE, IDENTITY_TOKEN, MERGED, SESSIONS } from './examples.ts';
import { AccountNotificationBody, Done, MergeAnswer, MergeGuestBody, RevokeSessionBody, Sessions } from './schemas.ts';

const TAGS = ['Accounts'];

export const MERGE_GUEST = userRoute({
  method: 'post',
  path: '/functions/v1/merge-guest-user',
  tags: TAGS,
  operationId: 'mergeGuestUser',
  summary: 'Keep a guest’s account with Sign in with Apple',
  description:
    'The caller is the guest; the identity token proves the Apple user. If that person has no account yet, the guest’s account ' +
    'becomes theirs. Otherwise credits, videos, running jobs, uploads and sessions move to the account that they have, in one ' +
    'step, and the guest’s id and tokens address that account from then on. A repeat changes nothing.',
  request: {
    body: jsonContent(MergeGuestBody, {
      token: { summary: 'With a nonce', value: { identity_token: IDENTITY_TOKEN, nonce: 'kS7bq0v2XcWn' } },
      code: {
        summary: 'With Apple’s code, for revocation at the end',
        value: { identity_token: IDENTITY_TOKEN, authorization_code: AUTHORIZATION_CODE },
      },
    }),
  },
  answer: {
    schema: MergeAnswer,
    description: 'The surviving account and a new session for it',
    example: MERGED,
    errors: ['ERR_4008', 'ERR_4017', 'ERR_5006'],
    details: {
      ERR_4005: { reason: 'identity_token' },
      ERR_4006: { field: 'identity_token', reason: 'missing' },
      ERR_4008: { reason: 'apple_account' },
    },
  },
});

export const GET_SESSIONS = userRoute({
  method: 'get',
  path: '/functions/v1/get-sessions',
  tags: TAGS,
  operationId: 'getSessions',
  summary: 'List the account’s open sessions',
  description: 'Returns where the account is signed in, the session that was used last first.',
  parameters: [USER_ID_PARAMETER],
  answer: {
    schema: Sessions,
    description: 'The sessions',
    example: SESSIONS,
    details: { ERR_4006: { field: 'user_id' } },
  },
});

export const REVOKE_SESSION = userRoute({
  method: 'post',
  path: '/functions/v1/revoke-session',
  tags: TAGS,
  operationId: 'revokeSession',
  summary: 'End a session',
  description:
    'Ends one session of the account at once: its tokens are refused, and its event streams end. Safe to repeat.',
  request: {
    body: jsonContent(RevokeSessionBody, {
      session: { summary: 'A session of this account', value: { session_id: SESSIONS.sessions[0]?.id ?? '' } },
    }),
  },
  answer: {
    schema: Done,
    description: 'The session has ended',
    example: { success: true },
    errors: ['ERR_4007'],
    details: { ERR_4006: { field: 'session_id' } },
  },
});

export const DELETE_ACCOUNT = userRoute({
  method: 'post',
  path: '/functions/v1/delete-account',
  tags: TAGS,
  operationId: 'deleteAccount',
  summary: 'Delete the account',
  description:
    'Deletes the account for good: sessions, videos, uploads, prompts, and what names the person. Running jobs are cancelled. ' +
    'Remaining credits are lost. Apple’s tokens are revoked. Afterwards every call with this account’s tokens is a 401.',
  // Optional: only a `user_id` in it is read, and compared.
  takesJson: true,
  documents: {
    body: {
      required: false,
      content: {
        'application/json': { schema: userIdCheck, examples: { empty: { summary: 'Nothing is needed', value: {} } } },
      },
    },
  },
  answer: {
    schema: Done,
    description: 'The account is deleted',
    example: { success: true },
    errors: BODY_ERRORS,
    details: { ERR_4006: { field: 'user_id' } },
  },
});

const Exported = z
  .object({
    exported_at: z.string(),
    user: z.record(z.string(), z.unknown()),
    jobs: z.array(z.record(z.string(), z.unknown())),
    transactions: z.array(z.record(z.string(), z.unknown())),
    purchases: z.array(z.record(z.string(), z.unknown())),
    uploads: z.array(z.record(z.string(), z.unknown())),
    sessions: z.array(z.record(z.string(), z.unknown())),
  })
  .openapi('ExportedAccount');

export const EXPORT_ACCOUNT = rawUserRoute({
  method: 'get',
  path: '/functions/v1/export-account',
  tags: TAGS,
  operationId: 'exportAccount',
  summary: 'Export everything the account has',
  description:
    'Returns one JSON document with the profile, all jobs, transactions (also those of guests that were merged into the ' +
    'account), purchases, uploads and sessions. It is streamed: a document that ends without its last brace was cut off. An ' +
    'account has one export at a time: a second one is a 429.',
  parameters: [USER_ID_PARAMETER],
  responses: {
    ...errorResponses(USER_ERRORS, { ERR_4006: { field: 'user_id' } }),
    200: {
      description: 'The document',
      headers: headersOf(['RateLimit', 'RateLimitPolicy']),
      content: {
        'application/json': {
          schema: Exported,
          example: {
            exported_at: '2026-11-23T10:00:00.000Z',
            user: { id: MERGED.user.id, email: MERGED.user.email },
            jobs: [],
            transactions: [],
            purchases: [],
            uploads: [],
            sessions: SESSIONS.sessions,
          },
        },
      },
    },
  },
});

export const APPLE_ACCOUNT_NOTIFICATIONS = publicRoute({
  method: 'post',
  path: '/functions/v1/apple-account-notifications',
  tags: ['Operations'],
  operationId: 'appleAccountNotifications',
  summary: 'Receive Apple’s notifications about accounts',
  description:
    'The address of Sign in with Apple’s server-to-server notifications. Consent that is withdrawn ends the account’s sessions, ' +
    'an Apple account that is deleted deletes the account, and changes of e-mail forwarding are kept. Each has an effect once.',
  request: {
    body: jsonContent(AccountNotificationBody, {
      notification: { summary: 'As Apple sends it', value: { payload: IDENTITY_TOKEN } },
    }),
  },
  answer: {
    schema: Done,
    description: 'The notification is recorded',
    example: { success: true },
    errors: ['ERR_4005', 'ERR_4017', 'ERR_5006'],
    details: { ERR_4005: { reason: 'signature' }, ERR_4006: { field: 'payload' } },
  },
});
