import type { AppleUser } from '../../apple/identity-token.ts';
import type { Context } from '../context.ts';

/** What a token is sealed for: it opens only with the app that it belongs to. Not the account, which a revocation outlives. */
export function sealContext(clientId: string): string {
  return `apple ${clientId}`;
}

/**
 * Exchanges an authorization code for Apple's refresh token and keeps it, encrypted, for its revocation. Never fails: a code is
 * an extra, and the app can send another with its next identity token.
 */
export async function exchangeCode(
  ctx: Pick<Context, 'appleSignIn' | 'appleTokenSealer' | 'db' | 'log' | 'raiseAlert'>,
  userId: string,
  { clientId, sub }: Pick<AppleUser, 'clientId' | 'sub'>,
  code: string,
): Promise<void> {
  if (!ctx.appleSignIn) return;
  const exchange = await ctx.appleSignIn.exchangeCode(clientId, code);
  if (exchange.state !== 'exchanged') {
    const isOurFault = exchange.state === 'unavailable' && exchange.isOurFault;
    const fields = { user_id: userId, state: exchange.state, cause: exchange.cause };
    if (isOurFault) {
      ctx.log.error({ event: 'vendor_key_refused', ...fields }, 'Sign in with Apple refuses the key of this server');
      ctx.raiseAlert({ kind: 'vendor_key', subject: 'apple_sign_in' });
    } else ctx.log.warn(fields, 'an authorization code could not be exchanged');
    return;
  }
  if (exchange.sub !== null && exchange.sub !== sub) {
    ctx.log.warn({ user_id: userId }, 'an authorization code belongs to another Apple user');
    return;
  }
  try {
    const sealed = await ctx.appleTokenSealer.seal(exchange.refreshToken, sealContext(clientId));
    await ctx.db.call('store_apple_token', { user_id: userId, client_id: clientId, sealed_token: sealed });
  } catch (error) {
    ctx.log.error(
      { user_id: userId, error: Object(error).name },
      'the token of Sign in with Apple could not be stored',
    );
  }
}
