import type { Clock } from '../../kernel/clock.ts';
import type { TokenClaims } from '../context.ts';

/** Some thousand apps that are in use at the same time: a few megabytes. */
const ENTRIES_MAX = 5_000;
/** Ours have 700 characters. Longer ones, with much metadata, are verified each time. */
const TOKEN_CHARACTERS_MAX = 2_000;

export type VerifiedTokens = {
  get(token: string): TokenClaims | null;
  add(token: string, claims: TokenClaims): void;
};

/**
 * Keeps what verified access tokens say until they expire: an app sends the same one for an hour, and checking its signature is a
 * fifth of a short call. Only what never changes is kept; session and account are looked up at each call.
 */
export function createVerifiedTokens(clock: Clock, { entriesMax = ENTRIES_MAX } = {}): VerifiedTokens {
  /** The one that was used last comes last. */
  const kept = new Map<string, TokenClaims>();

  return {
    get(token) {
      const claims = kept.get(token);
      if (!claims) return null;
      kept.delete(token);
      if (claims.expiresAt * 1000 <= clock.now().getTime()) return null;
      kept.set(token, claims);
      return { ...claims };
    },
    add(token, claims) {
      if (token.length > TOKEN_CHARACTERS_MAX) return;
      kept.set(token, { ...claims });
      for (const oldest of kept.keys()) {
        if (kept.size <= entriesMax) return;
        kept.delete(oldest);
      }
    },
  };
}
