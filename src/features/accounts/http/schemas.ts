import { z } from '@hono/zod-openapi';
import { credits, time, userIdCheck, uuid } from '../../../http/api.ts';
import { LOCALES } from '../../../kernel/locale.ts';
import type { readProfile } from '../profile.ts';
import { Session } from './auth-schemas.ts';

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

/** Accounts are named by the tokens; further fields are only compared with them. */
export const MergeGuestBody = userIdCheck.extend({
  identity_token: z.string().min(1).max(10_000).openapi({ description: 'The identity token of Sign in with Apple.' }),
  nonce: z.string().max(500).nullish().openapi({
    description: 'The raw nonce, if the token carries one: the token has its SHA-256 as lower-case hex.',
  }),
  authorization_code: z
    .string()
    .min(1)
    .max(2_000)
    .nullish()
    .openapi({
      description:
        'Apple’s authorization code. With it the server can revoke Apple’s tokens when the account is deleted, as the App Store ' +
        'requires. A code that Apple refuses does not stop the merge.',
    }),
  device_id: z.string().max(200).nullish().openapi({ description: 'Only compared: another account’s returns a 403.' }),
  apple_sub: z.string().max(300).nullish().openapi({ description: 'Only compared with the identity token.' }),
});

export const MergeAnswer = z
  .object({ success: z.literal(true), user: Profile, session: Session })
  .openapi('MergedGuest');

export const Sessions = z
  .object({
    sessions: z.array(
      z.object({
        id: z.uuid(),
        created_at: time,
        refreshed_at: time.openapi({ description: 'When its tokens were last renewed.' }),
        is_current: z.boolean().openapi({ description: 'Whether this call’s token belongs to it.' }),
      }),
    ),
  })
  .openapi('Sessions');

export const RevokeSessionBody = userIdCheck.extend({ session_id: uuid });
export const Done = z.object({ success: z.literal(true) }).openapi('Done');
export const AccountNotificationBody = z.object({
  payload: z.string().min(1).max(20_000).openapi({ description: 'A JSON Web Token that Apple has signed.' }),
});

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
