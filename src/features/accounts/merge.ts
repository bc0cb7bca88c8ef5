import { Problem } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';
import { linkAppleIdentity } from './link-identity.ts';
import { type OpenSessionContext, replaceSession, type Session } from './session.ts';
import { refusedIdentity, verifyIdentity } from './verify-identity.ts';

export type MergeInput = {
  /** The caller, a guest, or the account that it has become a part of. */
  userId: string;
  /** The session of the call, whose place the survivor's takes on this device. */
  sessionId: string | null;
  /** All ids that address the caller's account. */
  callerIds: readonly string[];
  identityToken: string;
  nonce: string | null;
  authorizationCode: string | null;
  /** These two prove nothing; they are only compared. */
  deviceId: string | null;
  appleSub: string | null;
};

/**
 * Makes the caller's guest account the Apple user's, or moves all that it has to the account that the Apple user has, and opens
 * a session for the survivor. Safe to repeat. Throws as `linkAppleIdentity`; ERR_4005 as 403 for another account's device id,
 * and as 401 if `appleSub` is not the token's.
 */
export async function mergeGuest(
  ctx: OpenSessionContext & Pick<Context, 'appleIdentity' | 'appleSignIn' | 'appleTokenSealer' | 'log' | 'raiseAlert'>,
  input: MergeInput,
): Promise<Session> {
  if (input.deviceId !== null) await refuseOthersDevice(ctx, input.deviceId, input.callerIds);
  if (input.appleSub !== null) {
    const user = await verifyIdentity(ctx, input);
    if (user.sub !== input.appleSub) throw refusedIdentity();
  }
  const linked = await linkAppleIdentity(ctx, { ...input, mayMerge: true });
  if (linked.outcome !== 'linked') throw new Error('merging was allowed');
  return replaceSession(ctx, linked.userId, input.sessionId);
}

async function refuseOthersDevice(
  ctx: Pick<Context, 'db'>,
  deviceId: string,
  callerIds: readonly string[],
): Promise<void> {
  const owner = await ctx.db.read
    .selectFrom('users')
    .select('id')
    .where('device_id', 'in', [deviceId, deviceId.toLowerCase()])
    .where('id', 'not in', [...callerIds])
    .executeTakeFirst();
  if (owner) throw new Problem('ERR_4005', { status: 403 });
}
