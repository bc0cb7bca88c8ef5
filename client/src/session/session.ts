/** The current session: the device's guest account, or one opened by other means, and its tokens. */
import { RendioError } from '../http/errors.ts';
import type { Http } from '../http/http.ts';
import { untilAborted } from '../http/timers.ts';
import type { Device, Onboarded, Session } from '../types.ts';
import type { Lock } from './lock.ts';
import type { PersistentStore } from './persistent-store.ts';
import { createSessionStore } from './session-store.ts';

export type Sessions = {
  /** A valid access token; onboards when there is no session. `rejected` is a token that the server has just rejected. */
  token(options?: { rejected?: string; signal?: AbortSignal | undefined }): Promise<string>;
  /** Onboards the device, even when there is a session. */
  onboard(signal?: AbortSignal): Promise<Onboarded>;
  /** Returns once what the server answered when `token` last onboarded; null when it did not. */
  takeOnboarded(): Onboarded | null;
  accountId(): Promise<string | null>;
  /** Uses a session that was opened by other means. */
  use(session: Session): Promise<void>;
  forget(): Promise<void>;
};

export type SessionsOptions = {
  http: Http;
  store: PersistentStore;
  lock: Lock;
  authUrl: string;
  functionsUrl: string;
  /** Null: only `use` opens a session. */
  device: (() => Promise<Device>) | null;
};

export function createSessions({ http, store, lock, authUrl, functionsUrl, device }: SessionsOptions): Sessions {
  let renewing: Promise<string> | null = null;
  let onboarded: Onboarded | null = null;
  const sessionStore = createSessionStore(store, http);

  async function onboardDevice(signal?: AbortSignal): Promise<Onboarded> {
    if (!device) throw new RendioError('There is no session.', { code: 'ERR_4005', status: 401 });
    const answer = await http.request<Onboarded>(`${functionsUrl}/device-check`, {
      method: 'POST',
      body: await device(),
      signal,
    });
    await sessionStore.save(answer.session);
    return answer;
  }

  async function tokenByOnboarding(): Promise<string> {
    onboarded = await onboardDevice();
    return onboarded.access_token;
  }

  async function renew(rejected: string): Promise<string> {
    // Another tab, or another client of this storage, may have renewed the session already.
    const token = await sessionStore.usableToken(rejected);
    if (token !== null) return token;
    const old = await sessionStore.read();
    if (!old?.refresh_token) return tokenByOnboarding();
    try {
      const body = { refresh_token: old.refresh_token };
      return await sessionStore.save(
        await http.request(`${authUrl}/token?grant_type=refresh_token`, { method: 'POST', body }),
      );
    } catch (error) {
      if (!isSessionOver(error)) throw error;
      const current = await sessionStore.read();
      // A client that could not take the lock has renewed the session meanwhile.
      if (current && current.refresh_token !== old.refresh_token) return current.access_token;
      // A device can only reopen a guest's account; the user of any other account must sign in again.
      if (old.is_guest === false) throw error;
      return tokenByOnboarding();
    }
  }

  return {
    async token({ rejected = '', signal } = {}) {
      const token = await sessionStore.usableToken(rejected);
      if (token !== null) return token;
      renewing ??= lock('session', () => renew(rejected)).finally(() => {
        renewing = null;
      });
      return untilAborted(renewing, signal);
    },
    onboard: (signal) => lock('session', () => onboardDevice(signal)),
    takeOnboarded() {
      const taken = onboarded;
      onboarded = null;
      return taken;
    },
    accountId: async () => (await sessionStore.read())?.user_id ?? null,
    use: (session) => lock('session', async () => void (await sessionStore.save(session))),
    forget: () =>
      lock('session', async () => {
        await sessionStore.remove();
        await store.set('device', null);
      }),
  };
}

/**
 * Whether the session is over: only when the server itself rejects the refresh token. A server error, a proxy's error page
 * or a missing answer must not sign the user out.
 */
function isSessionOver(error: unknown): boolean {
  return error instanceof RendioError && [400, 401, 403].includes(error.status) && error.code !== '';
}
