import { Problem } from '../../kernel/errors.ts';
import type { Locale } from '../../kernel/locale.ts';
import type { Context } from '../context.ts';
import { identityOf } from './link-identity.ts';
import { METADATA_BYTES_MAX } from './metadata.ts';
import { type OpenSessionContext, openSession, type Session } from './session.ts';
import { type Proof, verifyIdentity } from './verify-identity.ts';

/**
 * Opens a session for the Apple user of an identity token, whose account is created if there is none. Throws as `verifyIdentity`,
 * and ERR_4013 (403) if the account is banned.
 */
export async function signInWithApple(
  ctx: OpenSessionContext & Pick<Context, 'appleIdentity' | 'log'>,
  input: Proof & { language: Locale },
): Promise<Session> {
  const user = await verifyIdentity(ctx, input);
  const result = await ctx.db.call('sign_in_with_apple', { ...identityOf(user), language: input.language });
  if (result.outcome === 'banned') throw new Problem('ERR_4013');
  ctx.log.info({ event: 'user_signed_in', user_id: result.user_id }, 'a user signed in with Apple');
  return openSession(ctx, result.user_id);
}

/**
 * Creates an account of which no device is known, and opens its first session. It has no initial grant. `data` is what the app
 * keeps with it. Throws ERR_4014 if that is too much.
 */
export async function signUpAnonymously(
  ctx: OpenSessionContext & Pick<Context, 'log'>,
  { language, data }: { language: Locale; data: Record<string, unknown> },
): Promise<Session> {
  const userId = await ctx.db.call('create_anonymous_user', { language, data });
  if (userId === null) throw new Problem('ERR_4014', { details: { bytes_max: METADATA_BYTES_MAX } });
  ctx.log.info(
    { event: 'user_onboarded', user_id: userId, is_new: true, credits: 0 },
    'an account began without a device',
  );
  return openSession(ctx, userId);
}
