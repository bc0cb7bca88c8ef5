import type { Buffer } from 'node:buffer';
import type { Context } from '../../context.ts';
import { sealContext } from '../authorization-code.ts';

/** Revokes one token at Apple. Throws while Apple cannot be reached, so that the queue asks again. Safe to repeat. */
export async function revokeAppleToken(
  ctx: Pick<Context, 'appleSignIn' | 'appleTokenSealer' | 'db' | 'log' | 'raiseAlert'>,
  id: string,
): Promise<void> {
  const row = await ctx.db.read
    .selectFrom('apple_revocations')
    .select(['client_id', 'sealed_token'])
    .where('id', '=', id)
    .executeTakeFirst();
  if (!row) return;
  const token = await openToken(ctx, row.client_id, row.sealed_token);
  if (token !== null) {
    if (!ctx.appleSignIn) throw new Error('the key of Sign in with Apple is not configured any more');
    const answer = await ctx.appleSignIn.revoke(row.client_id, token);
    if (answer.state !== 'revoked') {
      if (answer.isOurFault) {
        const fields = { event: 'vendor_key_refused', cause: answer.cause } as const;
        ctx.log.error(fields, 'Sign in with Apple refuses the key of this server');
        ctx.raiseAlert({ kind: 'vendor_key', subject: 'apple_sign_in' });
      }
      throw new Error(`Apple has not revoked a token: ${answer.cause}`);
    }
  }
  await ctx.db.call('forget_apple_revocation', { id });
}

/** Null if the server's secret is another one now: the token can never be revoked, nor used. */
async function openToken(
  ctx: Pick<Context, 'appleTokenSealer' | 'log'>,
  clientId: string,
  sealed: Buffer,
): Promise<string | null> {
  try {
    return await ctx.appleTokenSealer.open(Uint8Array.from(sealed), sealContext(clientId));
  } catch (error) {
    ctx.log.error({ error: Object(error).name }, 'a stored token of Sign in with Apple cannot be read any more');
    return null;
  }
}
