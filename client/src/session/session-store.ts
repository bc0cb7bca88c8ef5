import type { Http } from '../http/http.ts';
import type { Session } from '../types.ts';
import type { PersistentStore } from './persistent-store.ts';
import type { SessionChanges } from './session-changes.ts';
import { type EndedSession, endIn, type Stored, type StoredSession, sessionIn } from './stored-session.ts';

/** A token that expires within this time is renewed before it is used. */
const RENEW_BEFORE_MS = 60_000;

export type SessionStore = {
  read(): Promise<StoredSession | null>;
  /** How the last session ended; null when there is a session, or never was one. */
  readEnd(): Promise<EndedSession | null>;
  /** The stored access token; null when it expires soon or is `rejected`, the one that the server has just rejected. */
  usableToken(rejected: string): Promise<string | null>;
  /**
   * Stores a session from the server, in one step. Returns its access token. `continues`: it follows from the stored session,
   * so that if its account is another one, the stored account has become a part of it.
   */
  save(session: Session, options?: { continues?: boolean }): Promise<string>;
  /** Replaces the session by the reason of its end. */
  end(reason: EndedSession): Promise<void>;
  /** Removes everything: the next call opens a new account. */
  remove(): Promise<void>;
};

export function createSessionStore(store: PersistentStore, http: Http, changes: SessionChanges): SessionStore {
  const readStored = () => store.get<Exclude<Stored, null>>('session');
  const read = async () => sessionIn(await readStored());

  async function write(before: Stored, after: Stored): Promise<void> {
    await store.set('session', after);
    changes.report(before, after);
  }

  return {
    read,
    readEnd: async () => endIn(await readStored()),
    async usableToken(rejected) {
      const session = await read();
      const isFresh = session !== null && session.expires_at * 1000 - http.now() > RENEW_BEFORE_MS;
      return isFresh && session.access_token !== rejected ? session.access_token : null;
    },
    async save({ access_token, refresh_token, expires_at, expires_in, user }, { continues = false } = {}) {
      // A page cannot read the Date header of another origin's answers; these two fields give the server's time as well.
      http.setClock((expires_at - expires_in) * 1000);
      const before = await readStored();
      const merged_ids = mergedIds(sessionIn(before), user.id, continues);
      const session = { access_token, refresh_token, expires_at, user_id: user.id, is_guest: user.is_anonymous };
      await write(before, { ...session, ...(merged_ids.length > 0 && { merged_ids }) });
      return access_token;
    },
    end: async (reason) => write(await readStored(), reason),
    remove: async () => write(await readStored(), null),
  };
}

/** The ids of former guests that address the next account. */
function mergedIds(before: StoredSession | null, nextId: string, continues: boolean): string[] {
  if (!before) return [];
  if (before.user_id === nextId) return before.merged_ids ?? [];
  return continues ? [...(before.merged_ids ?? []), before.user_id] : [];
}
