import { z } from '@hono/zod-openapi';
import { credits, time, userIdCheck } from '../../../http/api.ts';
import { LOCALES } from '../../../kernel/locale.ts';
import type { readProfile } from '../profile.ts';
import type { Session as OpenSession } from '../session.ts';

const DEVICE_ID_MIN = 8;
const DEVICE_ID_MAX = 128;
/** Apple's tokens are about 2 KB of base64. */
const DEVICE_TOKEN_MAX = 8192;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export const DeviceCheckBody = z.object({
  device_id: z
    .string()
    .min(DEVICE_ID_MIN)
    .max(DEVICE_ID_MAX)
    // Letters, marks, digits, punctuation, symbols and the plain space: what can be printed.
    .regex(/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u)
    .transform((id) => (UUID.test(id) ? id.toLowerCase() : id))
    .openapi({
      type: 'string',
      minLength: DEVICE_ID_MIN,
      maxLength: DEVICE_ID_MAX,
      description:
        'The app’s own id of this installation, such as `identifierForVendor`: 8 to 128 printable characters. UUIDs are ' +
        'compared without regard to case.',
    }),
  device_token: z
    .string()
    .max(DEVICE_TOKEN_MAX)
    .nullish()
    .openapi({
      description:
        'Apple’s DeviceCheck token in base64; absent or null on devices without DeviceCheck, which get an account without ' +
        'the initial credits. In development the simulator takes the base64 of `device:` and any name.',
    }),
});

const User = z.object({
  id: z.uuid(),
  aud: z.literal('authenticated'),
  role: z.literal('authenticated'),
  email: z.string().openapi({ description: 'Empty where none is known.' }),
  phone: z.string().openapi({ description: 'Always empty: no number is asked for.' }),
  app_metadata: z
    .record(z.string(), z.unknown())
    .openapi({ description: 'How the account signs in; empty for guests.' }),
  user_metadata: z.record(z.string(), z.unknown()),
  identities: z.array(z.unknown()),
  is_anonymous: z.boolean().openapi({ description: 'Whether this is a guest.' }),
  last_sign_in_at: time,
  created_at: time,
  updated_at: time,
});

export const Session = z
  .object({
    access_token: z.string().openapi({ description: 'Sent as `Authorization: Bearer …` with every call.' }),
    token_type: z.literal('bearer'),
    expires_in: z.int().openapi({ description: 'Life of the access token, in seconds.' }),
    expires_at: z.int().openapi({ description: 'Its end, in Unix seconds.' }),
    refresh_token: z.string().openapi({ description: 'Trades once for the next pair of tokens.' }),
    user: User,
  })
  .openapi('Session');

export const DeviceCheckAnswer = z
  .object({
    user_id: z.uuid(),
    credits_remaining: credits('What there is to spend'),
    is_new: z.boolean().openapi({ description: 'Whether this call has made the account.' }),
    session: Session,
    access_token: z.string().openapi({ description: 'The one of `session`.' }),
    refresh_token: z.string().openapi({ description: 'The one of `session`.' }),
  })
  .openapi('Onboarded');

export const Profile = z
  .object({
    id: z.uuid(),
    email: z.string().nullable(),
    device_id: z.string().nullable().openapi({ description: 'The id that the app sent to device-check.' }),
    apple_sub: z.string().nullable().openapi({ description: 'The Apple user, where the account has one.' }),
    is_guest: z.boolean().openapi({ description: 'Known by a device alone.' }),
    tier: z.enum(['free', 'premium']),
    credits_remaining: credits('What there is to spend; below zero after the refund of a purchase that was spent'),
    credits_total: credits('All that was ever granted or bought; refunds do not count'),
    initial_grant_claimed: z.boolean(),
    language: z.enum(LOCALES).openapi({ description: 'Spoken where `Accept-Language` asks for none of ours.' }),
    theme_preference: z.enum(['light', 'dark', 'system']),
    created_at: time,
    updated_at: time,
  })
  .openapi('Profile');

export const ProfileChangeBody = userIdCheck.extend({
  language: z.enum(LOCALES).optional(),
  theme_preference: z.enum(['light', 'dark', 'system']).optional(),
});

/** A session as the Supabase clients know it; they need every one of these fields. */
export function presentSession(session: OpenSession): z.infer<typeof Session> {
  const { user } = session;
  const identities = user.apple_sub ? { provider: 'apple', providers: ['apple'] } : {};
  return {
    access_token: session.accessToken,
    token_type: 'bearer',
    expires_in: session.expiresIn,
    expires_at: session.expiresAt,
    refresh_token: session.refreshToken,
    user: {
      id: user.id,
      aud: 'authenticated',
      role: 'authenticated',
      email: user.email ?? '',
      phone: '',
      app_metadata: identities,
      user_metadata: {},
      identities: [],
      is_anonymous: user.is_guest,
      last_sign_in_at: new Date((session.expiresAt - session.expiresIn) * 1000).toISOString(),
      created_at: user.created_at.toISOString(),
      updated_at: user.updated_at.toISOString(),
    },
  };
}

type ProfileRow = Awaited<ReturnType<typeof readProfile>>;

export function presentProfile(row: ProfileRow): z.infer<typeof Profile> {
  return {
    ...row,
    // The columns' checks admit exactly these values.
    tier: row.tier as 'free' | 'premium',
    language: row.language as (typeof LOCALES)[number],
    theme_preference: row.theme_preference as 'light' | 'dark' | 'system',
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}
