/** Who we are: a guest known by a device, and the tokens that prove it. */
import { RendioError } from '../http/errors.ts';
import type { Http } from '../http/http.ts';
import { untilAborted } from '../http/timers.ts';
import type { Device, Onboarded, Session } from '../types.ts';
import type { Lock } from './lock.ts';
import type { Vault } from './persistent-store.ts';
import { createStoredSession } from './stored-session.ts';

export type Sessions = {
  /** An access token that works; onboards where there is no session. `refused` is one that the server has just refused. */
  token(options?: { refused?: string; signal?: AbortSignal | undefined }): Promise<string>;
  /** Lets the device in, whatever session there is. */
  onboard(signal?: AbortSignal): Promise<Onboarded>;
  /** What the server said when `token` onboarded last, once; null where it did not. */
  takeWelcome(): Onboarded | null;
  accountId(): Promise<string | null>;
  /** Takes a session that was opened by other means. */
  use(session: Session): Promise<void>;
  forget(): Promise<void>;
};

export type SessionsOptions = {
  http: Http;
  vault: Vault;
  lock: Lock;
  authUrl: string;
  functionsUrl: string;
  /** Null: only `use` opens a session. */
  device: (() => Promise<Device>) | null;
};

export function createSessions({ http, vault, lock, authUrl, functionsUrl, device }: SessionsOptions): Sessions {
  let renewing: Promise<string> | null = null;
  let welcome: Onboarded | null = null;
  const stored = createStoredSession(vault, http);

  async function letIn(signal?: AbortSignal): Promise<Onboarded> {
    if (!device) throw new RendioError('There is no session.', { code: 'ERR_4005', status: 401 });
    const answer = await http.ask<Onboarded>(`${functionsUrl}/device-check`, {
      method: 'POST',
      body: await device(),
      signal,
    });
    await stored.keep(answer.session);
    return answer;
  }

  async function onboard(): Promise<string> {
    welcome = await letIn();
    return welcome.access_token;
  }

  async function renew(refused: string): Promise<string> {
    // Another tab, or another client on this storage, may have been quicker.
    const token = await stored.usable(refused);
    if (token !== null) return token;
    const old = await stored.read();
    if (!old?.refresh_token) return onboard();
    try {
      const body = { refresh_token: old.refresh_token };
      return await stored.keep(await http.ask(`${authUrl}/token?grant_type=refresh_token`, { method: 'POST', body }));
    } catch (error) {
      if (!isFinal(error)) throw error;
      const now = await stored.read();
      // Somebody without our lock has renewed it meanwhile.
      if (now && now.refresh_token !== old.refresh_token) return now.access_token;
      // A device opens a guest's account alone: anybody else has to sign in again.
      if (old.is_guest === false) throw error;
      return onboard();
    }
  }

  return {
    async token({ refused = '', signal } = {}) {
      const token = await stored.usable(refused);
      if (token !== null) return token;
      renewing ??= lock('session', () => renew(refused)).finally(() => {
        renewing = null;
      });
      return untilAborted(renewing, signal);
    },
    onboard: (signal) => lock('session', () => letIn(signal)),
    takeWelcome() {
      const taken = welcome;
      welcome = null;
      return taken;
    },
    accountId: async () => (await stored.read())?.user_id ?? null,
    use: (session) => lock('session', async () => void (await stored.keep(session))),
    forget: () =>
      lock('session', async () => {
        await vault.remember('session', null);
        await vault.remember('device', null);
      }),
  };
}

/**
 * Whether the session is over. Only the server's own plain no ends it: its troubles, a proxy's page and silence must
 * not sign anybody out.
 */
function isFinal(error: unknown): boolean {
  return error instanceof RendioError && [400, 401, 403].includes(error.status) && error.code !== '';
}
