import { BODY_ERRORS, jsonContent, LANGUAGE_PARAMETER, USER_ID_PARAMETER } from '../../../http/openapi.ts';
import { publicRoute, userRoute } from '../../../http/route.ts';
import { DEVICE_ID, ONBOARDED, PROFILE } from './examples.ts';
import { DeviceCheckAnswer, DeviceCheckBody, Profile, ProfileChangeBody } from './schemas.ts';

const TAGS = ['Accounts'];

export const DEVICE_CHECK = publicRoute({
  method: 'post',
  path: '/functions/v1/device-check',
  tags: TAGS,
  operationId: 'deviceCheck',
  summary: 'Onboard a device',
  description:
    'The first call of an app. Returns the account of this device, which is created if there is none, and a new session. The ' +
    'initial credits are granted once per physical device, which Apple’s DeviceCheck verifies. A device that had no grant gets ' +
    'a 403 for the id of an account that had one: it is another device. While Apple cannot be reached, a known device gets a ' +
    '503; its refresh token still works.',
  parameters: [LANGUAGE_PARAMETER],
  request: {
    body: jsonContent(DeviceCheckBody, {
      device: {
        summary: 'A device with DeviceCheck',
        value: { device_id: DEVICE_ID, device_token: btoa(`device:${DEVICE_ID}`) },
      },
      bare: { summary: 'A device without DeviceCheck: no initial credits', value: { device_id: 'my-simulator' } },
    }),
  },
  answer: {
    schema: DeviceCheckAnswer,
    description: 'The account and its session',
    example: ONBOARDED,
    headers: ['RateLimit', 'RateLimitPolicy'],
    errors: ['ERR_4004', ...BODY_ERRORS, 'ERR_4010', 'ERR_4013', 'ERR_4017', 'ERR_5006'],
    details: { ERR_4006: { field: 'device_id', reason: 'missing' } },
  },
});

export const GET_PROFILE = userRoute({
  method: 'get',
  path: '/functions/v1/get-user-profile',
  tags: TAGS,
  operationId: 'getUserProfile',
  summary: 'Get the caller’s account',
  description:
    'Returns the account of the access token. `device_id` and `apple_sub` are visible only to the account’s owner.',
  parameters: [USER_ID_PARAMETER],
  answer: {
    schema: Profile,
    description: 'The profile',
    example: PROFILE,
    details: { ERR_4006: { field: 'user_id' } },
  },
});

/** One route under two methods: PATCH and POST. */
export const UPDATE_PROFILE = (['patch', 'post'] as const).map((method) =>
  userRoute({
    method,
    path: '/functions/v1/update-user-profile',
    tags: TAGS,
    operationId: method === 'patch' ? 'updateUserProfile' : 'updateUserProfileByPost',
    summary: `Update the caller’s language or theme${method === 'patch' ? '' : ' (POST)'}`,
    description:
      'Updates the given fields and returns the account. Fields that are left out do not change. The language applies to error ' +
      'messages and events.',
    request: {
      body: jsonContent(ProfileChangeBody, {
        language: { summary: 'Another language', value: { language: 'tr' } },
        both: { summary: 'Language and theme', value: { language: 'es', theme_preference: 'dark' } },
      }),
    },
    answer: {
      schema: Profile,
      description: 'The updated profile',
      example: { ...PROFILE, language: 'tr', updated_at: '2026-11-23T09:45:00.000Z' },
      details: { ERR_4006: { field: 'language', allowed: ['en', 'tr', 'es'] } },
    },
  }),
);
