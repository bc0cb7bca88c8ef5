/** The state that the stream connection and the poller share. */
import type { Http } from '../http/http.ts';
import { callSafely } from '../http/listeners.ts';
import type { Api } from '../session/api.ts';
import type { Sessions } from '../session/session.ts';
import type { JobEvent } from '../types.ts';
import { createDeliveredEvents, type DeliveredEvents, type Source } from './delivered-events.ts';
import type { FeedState, Listener } from './listeners.ts';

/** Whose events the feed delivers, and how far it has come. Times are in milliseconds by this machine's clock. */
export type FeedPosition = {
  account: string | null;
  /** Null: the next stream begins with a snapshot of the running jobs. */
  lastEventId: string | null;
  delivered: DeliveredEvents;
  startedAt: number;
  /** When the last stream that began with a snapshot was opened. */
  snapshotAt: number;
  disconnectedAt: number;
  /** When the session changed; null when it has not since the account was last read. */
  changedAt: number | null;
  /** The account has become a part of another one, whose own videos the stream does not begin with. */
  isMerged: boolean;
};

export type FeedGateways = {
  api: Api;
  http: Http;
  sessions: Sessions;
  /** False: the feed only polls. */
  canStream: boolean;
};

export type FeedCore = FeedGateways & {
  position(): FeedPosition;
  state(): FeedState;
  setState(state: FeedState, error?: unknown): void;
  /** Passes the event to all listeners, unless they have received it before. */
  deliver(event: JobEvent, source: Source): void;
  /**
   * Reads which account the session belongs to. When it is another one, the position starts anew. After a merge it stays: the
   * guest's events are among the surviving account's, under the same ids.
   */
  syncAccount(): Promise<void>;
  /** Whether `syncAccount` runs: a session that changes meanwhile is no news. */
  isSyncing(): boolean;
  /** Returns to the initial state without calling the listeners. */
  reset(): void;
};

export function createFeedCore(gateways: FeedGateways, listeners: Set<Listener>, lastEventId: string | null): FeedCore {
  let state: FeedState = 'connecting';
  let position = newPosition(null, lastEventId);
  let syncing = 0;
  return {
    ...gateways,
    position: () => position,
    state: () => state,
    setState(next, error) {
      if (state === next) return;
      state = next;
      for (const { onState } of listeners) callSafely(() => onState?.(next, error));
    },
    deliver(event, source) {
      if (!position.delivered.add(event, source)) return;
      for (const { onEvent } of listeners) callSafely(() => onEvent?.(event));
    },
    async syncAccount() {
      syncing += 1;
      try {
        await gateways.sessions.token();
        const [account = null, ...mergedIds] = await gateways.sessions.accountIds();
        if (account === position.account) return;
        if (position.account !== null && mergedIds.includes(position.account)) {
          // Not a copy: an open stream still moves it forward.
          const { disconnectedAt: startedAt } = position;
          Object.assign(position, { account, startedAt, changedAt: null, isMerged: true });
          return;
        }
        // Events since the previous account was left are new events of this account.
        const { lastEventId: id, changedAt, disconnectedAt } = position;
        position = newPosition(account, position.account === null ? id : null, changedAt ?? disconnectedAt);
      } finally {
        syncing -= 1;
      }
    },
    isSyncing: () => syncing > 0,
    reset() {
      state = 'connecting';
      position = newPosition(null, lastEventId);
    },
  };
}

function newPosition(account: string | null, lastEventId: string | null, startedAt = Date.now()): FeedPosition {
  const delivered = createDeliveredEvents();
  const times = { startedAt, snapshotAt: startedAt, disconnectedAt: startedAt, changedAt: null };
  return { account, lastEventId, delivered, ...times, isMerged: false };
}
