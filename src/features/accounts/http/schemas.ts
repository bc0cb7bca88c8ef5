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
    // Printable characters: letters, marks, digits, punctuation, symbols and the plain space.
    .regex(/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u)
    .transform((id) => (UUID.test(id) ? id.toLowerCase() : id))
    .openapi({
      type: 'string',
      minLength: DEVICE_ID_MIN,
      maxLength: DEVICE_ID_MAX,
      description:
        'The app’s own id of this installation, such as `identifierForVendor`: 8 to 128 printable characters. UUIDs are ' +
        'case-insensitive.',
    }),
  device_token: z
    .string()
    .min(1)
    .max(DEVICE_TOKEN_MAX)
    .nullish()
    .openapi({
      description:
        'Apple’s DeviceCheck token in base64. Omit it or send null on devices without DeviceCheck, which get an account ' +
        'without the initial credits. In development, the simulator accepts the base64 of `device:` and any name.',
    }),
});

const User = z.object({
  id: z.uuid(),
  aud: z.literal('authenticated'),
  role: z.literal('authenticated'),
  email: z.string().openapi({ description: 'Empty if unknown.' }),
  phone: z.string().openapi({ description: 'Always empty: phone numbers are not collected.' }),
  app_metadata: z
    .record(z.string(), z.unknown())
    .openapi({ description: 'How the account signs in; empty for guests.' }),
  user_metadata: z.record(z.string(), z.unknown()),
  identities: z.array(z.unknown()),
  is_anonymous: z.boolean().openapi({ description: 'Whether the account is a guest.' }),
  last_sign_in_at: time,
  created_at: time,
  updated_at: time,
});

export const Session = z
  .object({
    access_token: z.string().openapi({ description: 'Send it as `Authorization: Bearer …` with every request.' }),
    token_type: z.literal('bearer'),
    expires_in: z.int().openapi({ description: 'The lifetime of the access token, in seconds.' }),
    expires_at: z.int().openapi({ description: 'When the access token expires, in Unix seconds.' }),
    refresh_token: z.string().openapi({ description: 'Can be exchanged once for the next pair of tokens.' }),
    user: User,
  })
  .openapi('Session');

export const DeviceCheckAnswer = z
  .object({
    user_id: z.uuid(),
    credits_remaining: credits('The balance'),
    is_new: z.boolean().openapi({ description: 'Whether this call created the account.' }),
    session: Session,
    access_token: z.string().openapi({ description: 'The same as in `session`.' }),
    refresh_token: z.string().openapi({ description: 'The same as in `session`.' }),
  })
  .openapi('Onboarded');

export const Profile = z
  .object({
    id: z.uuid(),
    email: z.string().nullable(),
    device_id: z.string().nullable().openapi({ description: 'The id that the app sent to `device-check`.' }),
    apple_sub: z.string().nullable().openapi({ description: 'The Apple user id, if the account has one.' }),
    is_guest: z.boolean().openapi({ description: 'Whether the account is identified only by a device.' }),
    tier: z.enum(['free', 'premium']),
    credits_remaining: credits('The balance; negative after the refund of a purchase that was already spent'),
    credits_total: credits('All credits that were ever granted or bought; refunds do not count'),
    initial_grant_claimed: z.boolean(),
    language: z.enum(LOCALES).openapi({ description: 'Used if `Accept-Language` names no supported language.' }),
    theme_preference: z.enum(['light', 'dark', 'system']),
    created_at: time,
    updated_at: time,
  })
  .openapi('Profile');

export const ProfileChangeBody = userIdCheck.extend({
  language: z.enum(LOCALES).nullish(),
  theme_preference: z.enum(['light', 'dark', 'system']).nullish(),
});

/** Formats a session for Supabase's clients, which need all of these fields. */
export function presentSession(session: OpenSession): z.infer<typeof Session> {
  const { user } = session;
  const appMetadata = user.apple_sub ? { provider: 'apple', providers: ['apple'] } : {};
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
      app_metadata: appMetadata,
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
    // Checks on the columns allow only these values.
    tier: row.tier as 'free' | 'premium',
    language: row.language as (typeof LOCALES)[number],
    theme_preference: row.theme_preference as 'light' | 'dark' | 'system',
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}
