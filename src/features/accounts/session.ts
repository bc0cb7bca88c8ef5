import { Problem } from '../../kernel/errors.ts';
import { sha256 } from '../../kernel/hash.ts';
import type { AccessToken, AuthMethod, Context } from '../context.ts';
import { type AuthUser, readAuthUser } from './auth-user.ts';

/** A session ends 30 days after its last refresh. */
export const SESSION_LIFETIME_SECONDS = 30 * 24 * 3600;
const NONCE_BYTES = 32;

export type OpenSessionContext = SessionContext & Pick<Context, 'newUuid'>;
export type SessionContext = Pick<Context, 'clock' | 'db' | 'randomBytes' | 'refreshTokenFor' | 'tokens'>;
export type Session = AccessToken & { refreshToken: string; user: AuthUser };
export type RefreshToken = { token: string; hash: Uint8Array; nonce: Uint8Array };

/** Makes a new refresh token. Its nonce and hash are to be stored, the token is not. */
export async function makeRefreshToken(ctx: Pick<Context, 'randomBytes' | 'refreshTokenFor'>): Promise<RefreshToken> {
  const nonce = ctx.randomBytes(NONCE_BYTES);
  const token = await ctx.refreshTokenFor(nonce);
  return { token, hash: await sha256(token), nonce };
}

/** Opens a new session for an account and signs its first pair of tokens. */
export async function openSession(ctx: OpenSessionContext, userId: string): Promise<Session> {
  return replaceSession(ctx, userId, null);
}

/** The same in place of another session on the same device, which goes on getting the pushes that it was registered for. */
export async function replaceSession(
  ctx: OpenSessionContext,
  userId: string,
  replacedId: string | null,
): Promise<Session> {
  const { token, ...row } = await newSessionRow(ctx, userId);
  const { session_id: to } = row;
  await ctx.db.call('open_session', row);
  if (replacedId !== null) {
    await ctx.db.call('move_push_tokens', { user_id: userId, from_session_id: replacedId, to_session_id: to });
  }
  return signSession(ctx, userId, to, token);
}

/** The same for a verified device; null if its account is meanwhile one that this device id does not open. */
export async function openDeviceSession(
  ctx: OpenSessionContext,
  userId: string,
  deviceId: string,
): Promise<Session | null> {
  const { token, ...row } = await newSessionRow(ctx, userId);
  const isOpen = await ctx.db.call('open_device_session', { ...row, device_id: deviceId });
  return isOpen ? signSession(ctx, userId, row.session_id, token) : null;
}

async function newSessionRow(ctx: OpenSessionContext, userId: string) {
  const { token, hash, nonce } = await makeRefreshToken(ctx);
  const row = { user_id: userId, session_id: ctx.newUuid(), token_hash: hash, nonce };
  return { ...row, lifetime_seconds: SESSION_LIFETIME_SECONDS, token };
}

/** Signs a new access token for a refresh token that is already stored. */
export async function signSession(
  ctx: Pick<Context, 'clock' | 'db' | 'tokens'>,
  userId: string,
  sessionId: string,
  refreshToken: string,
): Promise<Session> {
  const user = await readAuthUser(ctx, userId);
  // Deleted since the token was exchanged.
  if (!user) throw new Problem('ERR_4005');
  const access = await ctx.tokens.sign({
    userId,
    sessionId,
    isAnonymous: user.isGuest,
    email: user.email,
    amr: [methodOf(user, ctx.clock.now())],
    appMetadata: appMetadataOf(user),
    userMetadata: user.metadata,
  });
  return { ...access, refreshToken, user };
}

/** How the account signs in, as Supabase's clients expect it; empty for guests. */
export function appMetadataOf({ appleSub }: Pick<AuthUser, 'appleSub'>) {
  return appleSub ? { provider: 'apple', providers: ['apple'] } : {};
}

function methodOf({ appleSub }: AuthUser, now: Date): AuthMethod {
  return { method: appleSub ? 'oauth' : 'anonymous', timestamp: Math.floor(now.getTime() / 1000) };
}
