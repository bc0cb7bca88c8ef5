/** Tells about changes of the account: made by a client of the same storage, or by another tab. */
import { callSafely } from '../http/listeners.ts';
import { SESSION_KEY, type Storage } from './persistent-store.ts';
import { type Stored, sessionIn } from './stored-session.ts';

/**
 * The account that this storage's clients use has changed. `merged`: the guest is now the Apple user's account. `ended`: the
 * server has ended the session, for example because the user signed out everywhere on another device.
 */
export type SessionChange = {
  reason: 'onboarded' | 'signed_in' | 'merged' | 'signed_out' | 'deleted' | 'ended';
  /** Null: there is no session any more. */
  accountId: string | null;
  /** Whether the account belongs to a guest; null without an account. */
  isGuest: boolean | null;
};

export type SessionChanges = {
  /** Tells every client of this storage, if the account has changed. */
  report(before: Stored, after: Stored): void;
  /** Returns a function that unsubscribes. */
  subscribe(listener: (change: SessionChange) => void): () => void;
};

const listenersOf = new WeakMap<Storage, Set<(change: SessionChange) => void>>();

export function createSessionChanges(storage: Storage): SessionChanges {
  const listeners = listenersOf.get(storage) ?? new Set();
  listenersOf.set(storage, listeners);
  return {
    report(before, after) {
      const change = changeBetween(before, after);
      if (change) for (const listener of [...listeners]) callSafely(() => listener(change));
    },
    subscribe(listener) {
      // Each subscription is its own, also of the same function.
      const own = (change: SessionChange) => listener(change);
      listeners.add(own);
      const unwatch = storage.watch?.((key, before, after) => {
        const change = key === SESSION_KEY ? changeBetween(parsed(before), parsed(after)) : null;
        if (change) callSafely(() => own(change));
      });
      return () => {
        listeners.delete(own);
        unwatch?.();
      };
    },
  };
}

function changeBetween(before: Stored, after: Stored): SessionChange | null {
  const [old, current] = [sessionIn(before), sessionIn(after)];
  if (!current) {
    if (!old) return null;
    return { reason: after && 'ended' in after ? after.ended : 'signed_out', accountId: null, isGuest: null };
  }
  const isGuest = current.is_guest !== false;
  const isSame = old?.user_id === current.user_id;
  if (old && isSame && (old.is_guest !== false) === isGuest) return null;
  const isMerged = old !== null && (isSame || (current.merged_ids ?? []).includes(old.user_id));
  const reason = isMerged ? 'merged' : isGuest ? 'onboarded' : 'signed_in';
  return { reason, accountId: current.user_id, isGuest };
}

function parsed(text: string | null): Stored {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return null;
  }
}
