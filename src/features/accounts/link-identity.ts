import type { AppleUser } from '../../apple/identity-token.ts';
import { Problem } from '../../kernel/errors.ts';
import { sha256 } from '../../kernel/hash.ts';
import type { Context } from '../context.ts';
import { exchangeCode } from './authorization-code.ts';
import { refusedIdentity, verifyIdentity } from './verify-identity.ts';

export type LinkInput = {
  userId: string;
  identityToken: string;
  nonce: string | null;
  /** Apple's code, with which the server gets a token that it revokes when the account is deleted. */
  authorizationCode: string | null;
  /** Whether a guest is merged into the account that the Apple user has. */
  mayMerge: boolean;
};

export type Linked =
  | { outcome: 'linked'; userId: string }
  /** Without `mayMerge`: the Apple user has an account already. */
  | { outcome: 'identity_exists' };

type LinkContext = Pick<Context, 'appleIdentity' | 'appleSignIn' | 'appleTokenSealer' | 'db' | 'log' | 'raiseAlert'>;

/**
 * Links the Apple user of an identity token to the caller's account: a guest becomes the Apple user's account, or is merged into
 * it. Safe to repeat. Throws as `verifyIdentity`; ERR_4008 (409) if the caller belongs to another Apple user, ERR_4013 (403) if
 * one of the two accounts is banned.
 */
export async function linkAppleIdentity(ctx: LinkContext, input: LinkInput): Promise<Linked> {
  const user = await verifyIdentity(ctx, input);
  const result = await ctx.db.call('link_apple_identity', {
    user_id: input.userId,
    ...identityOf(user),
    token_hash: await sha256(input.identityToken),
    token_expires_at: user.expiresAt,
    may_merge: input.mayMerge,
  });
  switch (result.outcome) {
    case 'identity_exists':
      return { outcome: 'identity_exists' };
    case 'token_used':
      throw refusedIdentity();
    case 'user_not_found':
      throw new Problem('ERR_4005');
    case 'banned':
      throw new Problem('ERR_4013');
    case 'other_account':
      throw new Problem('ERR_4008', { details: { reason: 'apple_account' } });
    default:
      // After the transaction: nothing foreign is called inside one, and a code that Apple refuses does not undo a merge.
      logLinked(ctx, input.userId, result);
      if (input.authorizationCode) await exchangeCode(ctx, result.user_id, user, input.authorizationCode);
      return { outcome: 'linked', userId: result.user_id };
  }
}

/** What the database keeps of an Apple user. */
export function identityOf(user: AppleUser) {
  return {
    apple_sub: user.sub,
    email: user.email,
    is_email_verified: user.isEmailVerified,
    is_private_email: user.isPrivateEmail,
  };
}

function logLinked(
  { log }: Pick<Context, 'log'>,
  callerId: string,
  { outcome, user_id }: { outcome: string; user_id: string },
): void {
  if (outcome === 'merged')
    log.info(
      { event: 'account_merged', user_id, guest_id: callerId },
      'a guest was merged into the account of an Apple user',
    );
  else log.info({ event: 'user_signed_in', user_id, outcome }, 'an account is the Apple user’s');
}
