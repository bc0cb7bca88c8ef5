/** Example values of these routes: one guest on the first day. */
import type { z } from '@hono/zod-openapi';
import { EXAMPLE_IDS } from '../../../http/openapi.ts';
import type { DeviceCheckAnswer, Profile, Session } from './schemas.ts';

const DAY_ONE = '2026-11-23T09:30:00.000Z';

export const DEVICE_ID = 'my-first-phone';

export const SESSION: z.input<typeof Session> = {
  access_token: 'eyJhbGciOiJFUzI1NiIsImtpZCI6Ii4uLiJ9.eyJzdWIiOiI3Yzll4oCmIn0.c2lnbmF0dXJl',
  token_type: 'bearer',
  expires_in: 3600,
  expires_at: 1_795_429_800,
  refresh_token: 'Jx0mB5wq2nVhQ8rT6yLk3c',
  user: {
    id: EXAMPLE_IDS.user,
    aud: 'authenticated',
    role: 'authenticated',
    email: '',
    phone: '',
    app_metadata: {},
    user_metadata: {},
    identities: [],
    is_anonymous: true,
    last_sign_in_at: DAY_ONE,
    created_at: DAY_ONE,
    updated_at: DAY_ONE,
  },
};

export const ONBOARDED: z.input<typeof DeviceCheckAnswer> = {
  user_id: EXAMPLE_IDS.user,
  credits_remaining: 10,
  is_new: true,
  session: SESSION,
  access_token: SESSION.access_token,
  refresh_token: SESSION.refresh_token,
};

export const PROFILE: z.input<typeof Profile> = {
  id: EXAMPLE_IDS.user,
  email: null,
  device_id: DEVICE_ID,
  apple_sub: null,
  is_guest: true,
  tier: 'free',
  credits_remaining: 10,
  credits_total: 10,
  initial_grant_claimed: true,
  language: 'en',
  theme_preference: 'system',
  created_at: DAY_ONE,
  updated_at: DAY_ONE,
};
