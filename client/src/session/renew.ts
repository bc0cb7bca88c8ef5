import { RendioError, SignedOutError } from '../http/errors.ts';
import type { Http } from '../http/http.ts';
import type { Session } from '../types.ts';
import type { SessionStore } from './session-store.ts';
import type { EndedSession } from './stored-session.ts';

/** Supabase's codes for a refresh token that will never be accepted again. */
const OVER = [
  'refresh_token_not_found',
  'refresh_token_already_used',
  'session_not_found',
  'session_expired',
  'user_not_found',
  'user_banned',
  'invalid_grant',
];

export type Renewal = {
  http: Http;
  sessionStore: SessionStore;
  authUrl: string;
  /** Opens the device's account and returns a token of it. Null: not now, or there is no device. */
  onboard: (() => Promise<string>) | null;
};

/**
 * A valid access token, other than the `rejected` one: by renewing the session, or else by onboarding. Throws SignedOutError
 * when neither is possible. The caller holds the session's lock.
 */
export async function renew({ http, sessionStore, authUrl, onboard }: Renewal, rejected: string): Promise<string> {
  // Another tab, or another client of this storage, may have renewed the session already.
  const token = await sessionStore.usableToken(rejected);
  if (token !== null) return token;
  const old = await sessionStore.read();
  if (!old?.refresh_token) {
    const end = await sessionStore.readEnd();
    if (end || !onboard) throw signedOut(end ?? { ended: 'signed_out' });
    return onboard();
  }
  try {
    const body = { refresh_token: old.refresh_token };
    const answer = await http.request<Session>(`${authUrl}/token?grant_type=refresh_token`, { method: 'POST', body });
    return await sessionStore.save(answer, { continues: true });
  } catch (error) {
    if (!isSessionOver(error)) throw error;
    const current = await sessionStore.read();
    // A client that could not take the lock has renewed the session meanwhile.
    if (current && current.refresh_token !== old.refresh_token) return current.access_token;
    // A device can only reopen a guest's account; the user of any other account must sign in again.
    if (current && onboard && old.is_guest !== false) return onboard();
    const end = (await sessionStore.readEnd()) ?? { ended: 'ended', code: error.code, message: error.message };
    if (current) await sessionStore.end(end);
    throw signedOut(end);
  }
}

function signedOut({ ended, ...details }: EndedSession): SignedOutError {
  return new SignedOutError(ended, details);
}

/**
 * Whether the session is over: only when the server itself rejects the refresh token. A server error, a proxy's error page
 * or a missing answer must not sign the user out.
 */
function isSessionOver(error: unknown): error is RendioError {
  return error instanceof RendioError && [400, 401, 403].includes(error.status) && OVER.includes(error.code);
}
