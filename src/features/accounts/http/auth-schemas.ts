/** The shapes of Supabase's auth API, whose clients need all of these fields. */
import { z } from '@hono/zod-openapi';
import { time } from '../../../http/api.ts';
import type { AuthUser } from '../auth-user.ts';
import { appMetadataOf, type Session as OpenSession } from '../session.ts';

const Identity = z
  .object({
    identity_id: z.uuid(),
    id: z.string().openapi({ description: 'Apple’s id of the person.' }),
    user_id: z.uuid(),
    identity_data: z.record(z.string(), z.unknown()),
    provider: z.literal('apple'),
    email: z.string().optional(),
    last_sign_in_at: time,
    created_at: time,
    updated_at: time,
  })
  .openapi('Identity');

export const User = z
  .object({
    id: z.uuid(),
    aud: z.literal('authenticated'),
    role: z.literal('authenticated'),
    email: z.string().openapi({ description: 'Empty if unknown.' }),
    phone: z.string().openapi({ description: 'Always empty: phone numbers are not collected.' }),
    app_metadata: z
      .record(z.string(), z.unknown())
      .openapi({ description: 'How the account signs in; empty for guests.' }),
    user_metadata: z.record(z.string(), z.unknown()).openapi({ description: 'What the app keeps with the account.' }),
    identities: z.array(Identity).openapi({ description: 'Sign in with Apple, if the account has it.' }),
    email_confirmed_at: time.optional().openapi({ description: 'Set when Apple has verified the address.' }),
    confirmed_at: time.optional(),
    is_anonymous: z.boolean().openapi({ description: 'Whether the account is a guest.' }),
    last_sign_in_at: time,
    created_at: time,
    updated_at: time,
  })
  .openapi('User');

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

/** The fields of signInWithIdToken and linkIdentity that count here. */
export const IdTokenGrant = z.object({
  provider: z.string().nullish(),
  /** In place of the provider's name. */
  issuer: z.string().nullish(),
  id_token: z.string().min(1).max(10_000),
  nonce: z.string().max(500).nullish(),
  link_identity: z.boolean().nullish(),
});

/** The fields of signInAnonymously, and those that ask for another kind of account. */
export const SignUp = z.object({
  data: z.record(z.string(), z.unknown()).nullish(),
  email: z.string().nullish(),
  phone: z.string().nullish(),
});

/** The fields of updateUser. Only `data` can change. */
export const UserChange = z.object({
  data: z.record(z.string(), z.unknown()).nullish(),
  email: z.string().nullish(),
  phone: z.string().nullish(),
  password: z.string().nullish(),
  app_metadata: z.unknown().optional(),
});

/** Formats an account for Supabase's clients. `lastSignInAt`: when its tokens were last issued, if that is known. */
export function presentUser(user: AuthUser, lastSignInAt: Date = user.updatedAt): z.infer<typeof User> {
  const { appleLink } = user;
  const confirmedAt = user.email && appleLink?.isEmailVerified ? appleLink.createdAt.toISOString() : null;
  return {
    id: user.id,
    aud: 'authenticated',
    role: 'authenticated',
    email: user.email ?? '',
    phone: '',
    ...(confirmedAt && { email_confirmed_at: confirmedAt, confirmed_at: confirmedAt }),
    app_metadata: appMetadataOf(user),
    user_metadata: user.metadata,
    identities: identitiesOf(user),
    is_anonymous: user.isGuest,
    last_sign_in_at: lastSignInAt.toISOString(),
    created_at: user.createdAt.toISOString(),
    updated_at: user.updatedAt.toISOString(),
  };
}

function identitiesOf({ id, email, appleSub, appleLink }: AuthUser): z.infer<typeof Identity>[] {
  if (!appleSub || !appleLink) return [];
  const { isEmailVerified, isPrivateEmail, createdAt, signedInAt } = appleLink;
  const flags = { email_verified: isEmailVerified, phone_verified: false, is_private_email: isPrivateEmail };
  const data = { sub: appleSub, provider_id: appleSub, ...flags, custom_claims: { is_private_email: isPrivateEmail } };
  return [
    {
      identity_id: appleLink.id,
      id: appleSub,
      user_id: id,
      identity_data: { iss: 'https://appleid.apple.com', ...data, ...(email && { email }) },
      provider: 'apple',
      ...(email && { email }),
      last_sign_in_at: signedInAt.toISOString(),
      created_at: createdAt.toISOString(),
      updated_at: signedInAt.toISOString(),
    },
  ];
}

/** Formats a session for Supabase's clients. */
export function presentSession(session: OpenSession): z.infer<typeof Session> {
  return {
    access_token: session.accessToken,
    token_type: 'bearer',
    expires_in: session.expiresIn,
    expires_at: session.expiresAt,
    refresh_token: session.refreshToken,
    user: presentUser(session.user, new Date((session.expiresAt - session.expiresIn) * 1000)),
  };
}
