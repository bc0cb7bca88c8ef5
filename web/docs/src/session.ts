/** Who the calls are made as: a guest made here, or whoever a pasted token belongs to. Kept for this tab alone. */
import { call, post, Refusal, type Session } from './api.ts';

export type Person = { userId: string; isGuest: boolean; credits: number };

const KEY = 'rendio-docs-session';
/** A token that ends within this time is renewed first. */
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

function keep(next: Session | null): Session | null {
  session = next;
  try {
    if (next) sessionStorage.setItem(KEY, JSON.stringify(next));
    else sessionStorage.removeItem(KEY);
  } catch {
    // Storage may be forbidden: then the session lasts as long as the page.
  }
  return next;
}

/** Makes a guest of a device that nobody has seen before, which the simulated DeviceCheck vouches for. */
export async function becomeGuest(language: string): Promise<void> {
  const device = crypto.randomUUID();
  const token = btoa(`device:${device}`);
  const onboarded = await post<{ session: Session }>(
    '/functions/v1/device-check',
    { device_id: device, device_token: token },
    language,
  );
  keep(onboarded.session);
}

/** Takes a token from elsewhere as it is: without its refresh token it is good until it ends. */
export function useToken(token: string): void {
  keep({
    access_token: token.replace(/^Bearer\s+/i, '').trim(),
    refresh_token: null,
    expires_at: Number.POSITIVE_INFINITY,
  });
}

export function forget(): void {
  keep(null);
}

/** The token to call with now, renewed where it is about to end; null where nobody is signed in. */
export async function accessToken(): Promise<string | null> {
  const isEnding = session?.refresh_token && session.expires_at - Date.now() / 1000 < RENEW_BEFORE_SECONDS;
  if (isEnding) {
    renewal ??= renew().finally(() => {
      renewal = null;
    });
    await renewal;
  }
  return session?.access_token ?? null;
}

async function renew(): Promise<Session | null> {
  try {
    return keep(
      await post<Session>('/auth/v1/token?grant_type=refresh_token', { refresh_token: session?.refresh_token }, 'en'),
    );
  } catch (error) {
    // Only a clear refusal ends a session; anything else may be over in a moment.
    return error instanceof Refusal && error.status === 400 ? keep(null) : session;
  }
}

/** Whose token it is, and the balance; null, and forgotten, where it opens nothing any more. */
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
