/** The session that sends the requests: a guest account made here, or a pasted token. Stored for this tab only. */
import { call, post, Refusal, type Session } from './api.ts';

export type Person = { userId: string; isGuest: boolean; credits: number };

const KEY = 'rendio-docs-session';
/** A token that expires within this time is renewed first. */
const RENEW_BEFORE_SECONDS = 60;

let session: Session | null = read();
let renewal: Promise<Session | null> | null = null;

function read(): Session | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
  } catch {
    return null;
  }
}

function save(next: Session | null): Session | null {
  session = next;
  try {
    if (next) sessionStorage.setItem(KEY, JSON.stringify(next));
    else sessionStorage.removeItem(KEY);
  } catch {
    // The storage may not be allowed: then the session lasts until the page is closed.
  }
  return next;
}

/** Onboards a guest with a new device id, which the simulated DeviceCheck accepts. */
export async function signInAsGuest(language: string): Promise<void> {
  const device = crypto.randomUUID();
  const token = btoa(`device:${device}`);
  const onboarded = await post<{ session: Session }>(
    '/functions/v1/device-check',
    { device_id: device, device_token: token },
    language,
  );
  save(onboarded.session);
}

/** Uses a pasted token. Without a refresh token it works until it expires. */
export function useToken(token: string): void {
  save({
    access_token: token.replace(/^Bearer\s+/i, '').trim(),
    refresh_token: null,
    expires_at: Number.POSITIVE_INFINITY,
  });
}

export function forget(): void {
  save(null);
}

/** A valid access token, renewed when it is about to expire; null when there is no session. */
export async function accessToken(): Promise<string | null> {
  const isExpiring = session?.refresh_token && session.expires_at - Date.now() / 1000 < RENEW_BEFORE_SECONDS;
  if (isExpiring) {
    renewal ??= renew().finally(() => {
      renewal = null;
    });
    await renewal;
  }
  return session?.access_token ?? null;
}

async function renew(): Promise<Session | null> {
  try {
    return save(
      await post<Session>('/auth/v1/token?grant_type=refresh_token', { refresh_token: session?.refresh_token }, 'en'),
    );
  } catch (error) {
    // Only status 400 ends the session; any other error may be temporary.
    return error instanceof Refusal && error.status === 400 ? save(null) : session;
  }
}

/** The account and balance of the token; null without one. Forgets a token that the server rejects, and throws. */
export async function whoAmI(): Promise<Person | null> {
  const token = await accessToken();
  if (token === null) return null;
  type Profile = { id: string; is_guest: boolean; credits_remaining: number };
  try {
    const profile = await call<Profile>('/functions/v1/get-user-profile', {
      headers: { Authorization: `Bearer ${token}` },
    });
    return { userId: profile.id, isGuest: profile.is_guest, credits: profile.credits_remaining };
  } catch (error) {
    if (error instanceof Refusal && error.status === 401) forget();
    throw error;
  }
}
