import type { Http } from '../http/http.ts';
import type { Session } from '../types.ts';
import type { Vault } from './persistent-store.ts';

/** A token that lives no longer than this is renewed before it is used. */
const RENEW_BEFORE_MS = 60_000;

/** What is kept of a session. `expires_at` in unix seconds, as the server has it. */
export type Kept = {
  access_token: string;
  refresh_token: string;
  expires_at: number;
  user_id: string;
  /** Absent in what an older version kept: a guest's. */
  is_guest?: boolean;
};

export type StoredSession = {
  read(): Promise<Kept | null>;
  /** The stored access token, unless it ends soon or is the one that the server has `refused`. */
  usable(refused: string): Promise<string | null>;
  /** Stores a session of the server's. Returns its access token. */
  keep(session: Session): Promise<string>;
};

export function createStoredSession(vault: Vault, http: Http): StoredSession {
  const read = () => vault.recall<Kept>('session');
  return {
    read,
    async usable(refused) {
      const session = await read();
      const isFresh = session !== null && session.expires_at * 1000 - http.now() > RENEW_BEFORE_MS;
      return isFresh && session.access_token !== refused ? session.access_token : null;
    },
    async keep({ access_token, refresh_token, expires_at, expires_in, user }) {
      // Also where a page may not see the Date of other origins' answers.
      http.setClock((expires_at - expires_in) * 1000);
      const is_guest = user.is_anonymous;
      await vault.remember('session', { access_token, refresh_token, expires_at, user_id: user.id, is_guest });
      return access_token;
    },
  };
}
