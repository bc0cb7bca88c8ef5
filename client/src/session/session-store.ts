import type { Http } from '../http/http.ts';
import type { Session } from '../types.ts';
import type { PersistentStore } from './persistent-store.ts';

/** A token that expires within this time is renewed before it is used. */
const RENEW_BEFORE_MS = 60_000;

/** The stored part of a session. `expires_at` is in unix seconds, as in the server's answer. */
export type StoredSession = {
  access_token: string;
  refresh_token: string;
  expires_at: number;
  user_id: string;
  /** Missing in sessions that an older version stored: those are guests'. */
  is_guest?: boolean;
};

export type SessionStore = {
  read(): Promise<StoredSession | null>;
  /** The stored access token; null when it expires soon or is `rejected`, the one that the server has just rejected. */
  usableToken(rejected: string): Promise<string | null>;
  /** Stores a session from the server. Returns its access token. */
  save(session: Session): Promise<string>;
  remove(): Promise<void>;
};

export function createSessionStore(store: PersistentStore, http: Http): SessionStore {
  const read = () => store.get<StoredSession>('session');
  return {
    read,
    async usableToken(rejected) {
      const session = await read();
      const isFresh = session !== null && session.expires_at * 1000 - http.now() > RENEW_BEFORE_MS;
      return isFresh && session.access_token !== rejected ? session.access_token : null;
    },
    async save({ access_token, refresh_token, expires_at, expires_in, user }) {
      // A page cannot read the Date header of another origin's answers; these two fields give the server's time as well.
      http.setClock((expires_at - expires_in) * 1000);
      const is_guest = user.is_anonymous;
      await store.set('session', { access_token, refresh_token, expires_at, user_id: user.id, is_guest });
      return access_token;
    },
    remove: () => store.set('session', null),
  };
}
