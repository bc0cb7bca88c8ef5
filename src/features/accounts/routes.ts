import { createRoute } from '@hono/zod-openapi';
import { takeAddressSlot } from '../../http/address-limit.ts';
import { type Api, type Guards, jsonContent, responses, USER_ERRORS } from '../../http/api.ts';
import { callerId } from '../../http/caller.ts';
import type { AddressReader } from '../../http/client-address.ts';
import { localeOf } from '../../http/problem.ts';
import type { Context } from '../context.ts';
import { onboardDevice } from './onboard.ts';
import { readProfile, updateProfile } from './profile.ts';
import {
  DeviceCheckAnswer,
  DeviceCheckBody,
  Profile,
  ProfileChangeBody,
  profileOnWire,
  sessionOnWire,
} from './wire.ts';

const HOUR_SECONDS = 3600;

export function accountRoutes(api: Api, ctx: Context, guards: Guards, addressOf: AddressReader): void {
  api.openapi(
    createRoute({
      method: 'post',
      path: '/functions/v1/device-check',
      tags: ['Accounts'],
      summary: 'Let a device in: a session always, the initial credits once per physical device',
      middleware: guards.publicWithBody,
      request: { body: jsonContent(DeviceCheckBody) },
      responses: responses(DeviceCheckAnswer, 'The account and its session', [
        'ERR_4004',
        'ERR_4006',
        'ERR_4010',
        'ERR_4013',
        'ERR_4014',
        'ERR_4015',
        'ERR_6004',
      ]),
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
      const session = sessionOnWire(onboarded.session);
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
      summary: 'The caller’s account',
      security: [{ bearer: [] }],
      middleware: guards.user,
      responses: responses(Profile, 'The profile', USER_ERRORS),
    }),
    async (c) => c.json(profileOnWire(await readProfile(ctx, callerId(c))), 200),
  );

  for (const method of ['patch', 'post'] as const) {
    api.openapi(
      createRoute({
        method,
        path: '/functions/v1/update-user-profile',
        tags: ['Accounts'],
        summary: 'Change the caller’s language or theme',
        security: [{ bearer: [] }],
        middleware: guards.userWithBody,
        request: { body: jsonContent(ProfileChangeBody) },
        responses: responses(Profile, 'The profile after the change', [...USER_ERRORS, 'ERR_4006']),
      }),
      async (c) => {
        const body = c.req.valid('json');
        const change = { language: body.language, themePreference: body.theme_preference };
        return c.json(profileOnWire(await updateProfile(ctx, callerId(c), change)), 200);
      },
    );
  }
}
