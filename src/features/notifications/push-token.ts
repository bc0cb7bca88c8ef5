import { Problem } from '../../kernel/errors.ts';
import type { PushEnvironment } from '../../push/port.ts';
import type { Context } from '../context.ts';

export type PushToken = {
  userId: string;
  /** The session of the app that registers; with its end, the token goes. Null: the caller has none. */
  sessionId: string | null;
  /** Hexadecimal, in lower case. */
  token: string;
  environment: PushEnvironment;
};

type PushTokenContext = Pick<Context, 'db' | 'push'>;

/**
 * Registers a device for the account's pushes, and for those of no other. Safe to repeat. Throws ERR_4017 (501) where pushes are
 * switched off, ERR_4005 (401) if the session has ended meanwhile.
 */
export async function registerPushToken(ctx: PushTokenContext, input: PushToken): Promise<void> {
  requirePush(ctx);
  const { userId, sessionId, token, environment } = input;
  const outcome = await ctx.db.call('register_push_token', {
    ...{ user_id: userId, session_id: sessionId, token, environment },
  });
  if (outcome === 'signed_out') throw new Problem('ERR_4005', { details: { reason: 'invalid' } });
}

/** Ends the pushes to a device of the account. Safe to repeat. Throws ERR_4017 (501) where pushes are switched off. */
export async function unregisterPushToken(
  ctx: PushTokenContext,
  { userId, token }: Pick<PushToken, 'userId' | 'token'>,
): Promise<void> {
  requirePush(ctx);
  await ctx.db.call('forget_push_token', { user_id: userId, token });
}

function requirePush({ push }: Pick<Context, 'push'>): void {
  if (!push) throw new Problem('ERR_4017', { details: { feature: 'push' } });
}
