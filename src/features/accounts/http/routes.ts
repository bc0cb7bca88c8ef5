import { callerId } from '../../../http/caller.ts';
import type { IpReader } from '../../../http/client-ip.ts';
import { takeIpSlot } from '../../../http/ip-limit.ts';
import { localeOf } from '../../../http/problem.ts';
import type { Router } from '../../../http/route.ts';
import type { Context } from '../../context.ts';
import { onboardDevice } from '../onboard.ts';
import { readProfile, updateProfile } from '../profile.ts';
import { presentSession } from './auth-schemas.ts';
import { DEVICE_CHECK, GET_PROFILE, UPDATE_PROFILE } from './openapi.ts';
import { presentProfile } from './schemas.ts';

const HOUR_SECONDS = 3600;

export function accountRoutes(router: Router, ctx: Context, ipOf: IpReader): void {
  router.add(DEVICE_CHECK, async (c) => {
    const body = c.req.valid('json');
    await takeIpSlot(c, ctx.db, {
      policy: 'onboarding',
      ip: ipOf(c),
      limit: ctx.policy.limits.onboardingPerHour,
      windowSeconds: HOUR_SECONDS,
    });
    const onboarded = await onboardDevice(ctx, {
      deviceId: body.device_id,
      deviceToken: body.device_token ?? null,
      language: localeOf(c),
    });
    const session = presentSession(onboarded.session);
    const { access_token, refresh_token } = session;
    const account = {
      user_id: onboarded.userId,
      credits_remaining: onboarded.creditsRemaining,
      is_new: onboarded.isNew,
    };
    return c.json({ ...account, session, access_token, refresh_token }, 200);
  });

  router.add(GET_PROFILE, async (c) => c.json(presentProfile(await readProfile(ctx, callerId(c))), 200));

  for (const route of UPDATE_PROFILE) {
    router.add(route, async (c) => {
      const { language, theme_preference: themePreference } = c.req.valid('json');
      return c.json(presentProfile(await updateProfile(ctx, callerId(c), { language, themePreference })), 200);
    });
  }
}
