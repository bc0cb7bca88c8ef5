/** The stored part of a session. `expires_at` is in unix seconds, as in the server's answer. */
export type StoredSession = {
  access_token: string;
  refresh_token: string;
  expires_at: number;
  user_id: string;
  /** Missing in sessions that an older version stored: those are guests'. */
  is_guest?: boolean;
  /** The guests that became a part of this account while this storage had them. Their ids address it. */
  merged_ids?: string[];
};

/** What is stored after a session that is over: without it, the next call would open a guest account unasked. */
export type EndedSession = {
  /** `signed_out` and `deleted`: by the user, on this device. `ended`: by the server. */
  ended: 'signed_out' | 'deleted' | 'ended';
  /** The server's code and sentence. */
  code?: string;
  message?: string;
};

export type Stored = StoredSession | EndedSession | null;

export function sessionIn(stored: Stored): StoredSession | null {
  return stored && 'access_token' in stored ? stored : null;
}

export function endIn(stored: Stored): EndedSession | null {
  return stored && 'ended' in stored ? stored : null;
}
