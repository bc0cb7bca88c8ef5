/** Example values of these routes: one guest on the first day. */
import type { z } from '@hono/zod-openapi';
import { EXAMPLE_IDS } from '../../../http/openapi.ts';
import type { Session } from './auth-schemas.ts';
import type { DeviceCheckAnswer, MergeAnswer, Profile, Sessions } from './schemas.ts';

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

const APPLE_SUB = '001234.0a1b2c3d4e5f67890a1b2c3d4e5f6789.0930';
const EMAIL = 'p4ndz9q7k2@privaterelay.appleid.com';
const IDENTITY_ID = '5f0c8b1a-2d3e-4f5a-8b6c-7d8e9f0a1b2c';

/** The same person after Sign in with Apple. */
export const APPLE_SESSION: z.input<typeof Session> = {
  ...SESSION,
  user: {
    ...SESSION.user,
    email: EMAIL,
    email_confirmed_at: DAY_ONE,
    confirmed_at: DAY_ONE,
    app_metadata: { provider: 'apple', providers: ['apple'] },
    identities: [
      {
        identity_id: IDENTITY_ID,
        id: APPLE_SUB,
        user_id: EXAMPLE_IDS.user,
        identity_data: { iss: 'https://appleid.apple.com', sub: APPLE_SUB, email: EMAIL, email_verified: true },
        provider: 'apple',
        email: EMAIL,
        last_sign_in_at: DAY_ONE,
        created_at: DAY_ONE,
        updated_at: DAY_ONE,
      },
    ],
    is_anonymous: false,
  },
};

export const MERGED: z.input<typeof MergeAnswer> = {
  success: true,
  user: { ...PROFILE, email: EMAIL, apple_sub: APPLE_SUB, is_guest: false },
  session: APPLE_SESSION,
};

export const SESSIONS: z.input<typeof Sessions> = {
  sessions: [
    { id: '0c9d8e7f-6a5b-4c3d-8e2f-1a0b9c8d7e6f', created_at: DAY_ONE, refreshed_at: DAY_ONE, is_current: true },
  ],
};

/** Stands for a token: three parts in base64url, shortened. */
export const IDENTITY_TOKEN = 'eyJraWQiOiJmaDZCczhDIiwiYWxnIjoiUlMyNTYifQ.eyJzdWIiOiIwMDEyMzQuLi4ifQ.c2lnbmF0dXJl';
export const AUTHORIZATION_CODE = 'c1a2b3c4d5e6f.0.mrzxw.Qx';
