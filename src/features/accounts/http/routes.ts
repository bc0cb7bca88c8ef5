import { createRoute } from '@hono/zod-openapi';
import { takeAddressSlot } from '../../../http/address-limit.ts';
import type { Api, Guards } from '../../../http/api.ts';
import { callerId } from '../../../http/caller.ts';
import type { AddressReader } from '../../../http/client-address.ts';
import {
  BODY_ERRORS,
  jsonContent,
  LANGUAGE_PARAMETER,
  responses,
  USER_ERRORS,
  USER_ID_PARAMETER,
} from '../../../http/openapi.ts';
import { localeOf } from '../../../http/problem.ts';
import type { Context } from '../../context.ts';
import { onboardDevice } from '../onboard.ts';
import { readProfile, updateProfile } from '../profile.ts';
import { DEVICE_ID, ONBOARDED, PROFILE } from './examples.ts';
import {
  DeviceCheckAnswer,
  DeviceCheckBody,
  Profile,
  ProfileChangeBody,
  presentProfile,
  presentSession,
} from './schemas.ts';

const HOUR_SECONDS = 3600;

export function accountRoutes(api: Api, ctx: Context, guards: Guards, addressOf: AddressReader): void {
  api.openapi(
    createRoute({
      method: 'post',
      path: '/functions/v1/device-check',
      tags: ['Accounts'],
      operationId: 'deviceCheck',
      summary: 'Let a device in',
      description:
        'The first call of an app. Answers with the account of this device, made where there was none, and a session for ' +
        'it; the initial credits come once in the life of the physical device, as Apple’s DeviceCheck vouches. While Apple ' +
        'cannot be reached, a known device gets 503 and goes on with its refresh token.',
      parameters: [LANGUAGE_PARAMETER],
      middleware: guards.publicWithBody,
      request: {
        body: jsonContent(DeviceCheckBody, {
          device: {
            summary: 'A device that Apple knows',
            value: { device_id: DEVICE_ID, device_token: btoa(`device:${DEVICE_ID}`) },
          },
          bare: { summary: 'One without DeviceCheck: no initial credits', value: { device_id: 'a-simulator-of-mine' } },
        }),
      },
      responses: responses(DeviceCheckAnswer, {
        description: 'The account and its session',
        example: ONBOARDED,
        headers: ['RateLimit', 'RateLimitPolicy'],
        errors: ['ERR_4004', ...BODY_ERRORS, 'ERR_4010', 'ERR_4013', 'ERR_4017', 'ERR_6004'],
        details: { ERR_4006: { field: 'device_id', reason: 'missing' } },
      }),
    }),
    async (c) => {
      const body = c.req.valid('json');
      await takeAddressSlot(c, ctx.db, {
        policy: 'onboarding',
        address: addressOf(c),
        limit: ctx.policy.limits.onboardingPerHour,
        windowSeconds: HOUR_SECONDS,
      });
      const onboarded = await onboardDevice(ctx, {
        deviceId: body.device_id,
        deviceToken: body.device_token || null,
        language: localeOf(c),
      });
      const session = presentSession(onboarded.session);
      return c.json(
        {
          user_id: onboarded.userId,
          credits_remaining: onboarded.creditsRemaining,
          is_new: onboarded.isNew,
          session,
          access_token: session.access_token,
          refresh_token: session.refresh_token,
        },
        200,
      );
    },
  );

  api.openapi(
    createRoute({
      method: 'get',
      path: '/functions/v1/get-user-profile',
      tags: ['Accounts'],
      operationId: 'getUserProfile',
      summary: 'The caller’s account',
      description:
        'Who the token belongs to, as its owner may see it. Nobody else ever sees `device_id` and `apple_sub`.',
      security: [{ bearer: [] }],
      parameters: [USER_ID_PARAMETER],
      middleware: guards.user,
      responses: responses(Profile, {
        description: 'The profile',
        example: PROFILE,
        headers: ['RateLimit', 'RateLimitPolicy'],
        errors: USER_ERRORS,
        details: { ERR_4006: { field: 'user_id' } },
      }),
    }),
    async (c) => c.json(presentProfile(await readProfile(ctx, callerId(c))), 200),
  );

  for (const method of ['patch', 'post'] as const) {
    api.openapi(
      createRoute({
        method,
        path: '/functions/v1/update-user-profile',
        tags: ['Accounts'],
        operationId: method === 'patch' ? 'updateUserProfile' : 'updateUserProfileByPost',
        summary: `Change the caller’s language or theme${method === 'patch' ? '' : ', by POST'}`,
        description: 'What is left out stays as it is. The language is the one of errors and of what happens to jobs.',
        security: [{ bearer: [] }],
        middleware: guards.userWithBody,
        request: {
          body: jsonContent(ProfileChangeBody, {
            language: { summary: 'Another language', value: { language: 'tr' } },
            both: { summary: 'Language and theme', value: { language: 'es', theme_preference: 'dark' } },
          }),
        },
        responses: responses(Profile, {
          description: 'The profile after the change',
          example: { ...PROFILE, language: 'tr', updated_at: '2026-11-23T09:45:00.000Z' },
          headers: ['RateLimit', 'RateLimitPolicy'],
          errors: [...USER_ERRORS, ...BODY_ERRORS],
          details: { ERR_4006: { field: 'language', allowed: ['en', 'tr', 'es'] } },
        }),
      }),
      async (c) => {
        const body = c.req.valid('json');
        const change = { language: body.language, themePreference: body.theme_preference };
        return c.json(presentProfile(await updateProfile(ctx, callerId(c), change)), 200);
      },
    );
  }
}
