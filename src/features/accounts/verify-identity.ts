import type { AppleUser, IdentityFault } from '../../apple/identity-token.ts';
import { Problem } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';

export type Proof = { identityToken: string; nonce: string | null };

/** Apple's outages do not end within seconds. */
const RETRY_AFTER_SECONDS = 10;

/**
 * Returns the person that an identity token of Sign in with Apple names. Throws ERR_4005 (401) for a token that proves nothing,
 * ERR_5006 (503) if Apple's keys cannot be had, and ERR_4017 (501) if no app is configured.
 */
export async function verifyIdentity(
  ctx: Pick<Context, 'appleIdentity' | 'log'>,
  { identityToken, nonce }: Proof,
): Promise<AppleUser> {
  if (!ctx.appleIdentity) throw new Problem('ERR_4017', { details: { feature: 'sign-in-with-apple' } });
  const answer = await ctx.appleIdentity.verifyToken(identityToken, nonce);
  if (answer.state === 'verified') return answer.user;
  if (answer.state === 'unavailable')
    throw new Problem('ERR_5006', { retryAfterSeconds: RETRY_AFTER_SECONDS, cause: answer.cause });
  ctx.log.warn({ cause: answer.cause }, 'an identity token was refused');
  throw new RefusedIdentity(answer.fault);
}

/** ERR_4005 (401): the same for every reason, so that it says nothing about accounts. */
export class RefusedIdentity extends Problem {
  readonly fault: IdentityFault;

  constructor(fault: IdentityFault) {
    super('ERR_4005', { details: { reason: 'identity_token' } });
    this.fault = fault;
  }
}

export function refusedIdentity(): Problem {
  return new RefusedIdentity('other');
}
