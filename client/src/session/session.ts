/** The current session: the device's guest account, or one opened by other means, and its tokens. */
import { SignedOutError } from '../http/errors.ts';
import type { Http } from '../http/http.ts';
import { untilAborted } from '../http/timers.ts';
import type { Device, Onboarded, Session } from '../types.ts';
import type { Lock } from './lock.ts';
import type { PersistentStore } from './persistent-store.ts';
import { renew } from './renew.ts';
import type { SessionChange, SessionChanges } from './session-changes.ts';
import { createSessionStore } from './session-store.ts';

type TokenOptions = { rejected?: string; signal?: AbortSignal | undefined };

export type Sessions = {
  /**
   * A valid access token; onboards when there never was a session. `rejected` is a token that the server has just rejected.
   * Throws SignedOutError when the session is over and the device cannot open its account again.
   */
  token(options?: TokenOptions): Promise<string>;
  /** Onboards the device, even when there is a session. */
  onboard(signal?: AbortSignal): Promise<Onboarded>;
  /** Returns once what the server answered when `token` last onboarded; null when it did not. */
  takeOnboarded(): Onboarded | null;
  accountId(): Promise<string | null>;
  /** All ids that address the account: its own, then those of guests that became a part of it. */
  accountIds(): Promise<string[]>;
  /** Whether the last session is over, so that `token` opens no new account. */
  isOver(): Promise<boolean>;
  /** Uses a session that was opened by other means. `continues`: the server opened it in return for the current one. */
  use(session: Session, options?: { continues?: boolean }): Promise<void>;
  /**
   * Ends the session: calls `work` with its tokens while nothing else renews it or opens an account, also in other tabs. Stays
   * as it is when `work` throws.
   */
  leave(reason: 'signed_out' | 'deleted', work: (tokens: Pick<Sessions, 'token'>) => Promise<void>): Promise<void>;
  forget(): Promise<void>;
  /** Calls the listener when the account changes, here or in another tab. Returns a function that unsubscribes. */
  onChange(listener: (change: SessionChange) => void): () => void;
};

export type SessionsOptions = {
  http: Http;
  store: PersistentStore;
  changes: SessionChanges;
  lock: Lock;
  authUrl: string;
  functionsUrl: string;
  /** Null: only `use` opens a session. */
  device: (() => Promise<Device>) | null;
};

export function createSessions({
  http,
  store,
  changes,
  lock,
  authUrl,
  functionsUrl,
  device,
}: SessionsOptions): Sessions {
  let renewing: Promise<string> | null = null;
  let onboarded: Onboarded | null = null;
  const sessionStore = createSessionStore(store, http, changes);

  async function onboardDevice(signal?: AbortSignal): Promise<Onboarded> {
    if (!device) throw new SignedOutError('signed_out');
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

  /** Both run under the lock. */
  const leaving = { http, sessionStore, authUrl, onboard: null };
  const staying = { ...leaving, onboard: device && tokenByOnboarding };

  return {
    async token({ rejected = '', signal } = {}) {
      const token = await sessionStore.usableToken(rejected);
      if (token !== null) return token;
      renewing ??= lock('session', () => renew(staying, rejected)).finally(() => {
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
    async accountIds() {
      const session = await sessionStore.read();
      return session ? [session.user_id, ...(session.merged_ids ?? [])] : [];
    },
    isOver: async () => (await sessionStore.readEnd()) !== null,
    use: (session, options) => lock('session', async () => void (await sessionStore.save(session, options))),
    leave: (reason, work) =>
      lock('session', async () => {
        await work({ token: ({ rejected = '', signal } = {}) => untilAborted(renew(leaving, rejected), signal) });
        await sessionStore.end({ ended: reason });
      }),
    forget: () =>
      lock('session', async () => {
        await sessionStore.remove();
        await store.set('device', null);
      }),
    onChange: (listener) => changes.subscribe(listener),
  };
}
