/** The state that the stream connection and the poller share. */
import type { Http } from '../http/http.ts';
import type { Api } from '../session/api.ts';
import type { Sessions } from '../session/session.ts';
import type { JobEvent } from '../types.ts';
import { createDeliveredEvents, type DeliveredEvents, type Source } from './delivered-events.ts';
import { callSafely, type FeedState, type Listener } from './listeners.ts';

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
  /** Reads which account the session belongs to. When it has changed, the position starts anew. */
  syncAccount(): Promise<void>;
  /** Returns to the initial state without calling the listeners. */
  reset(): void;
};

export function createFeedCore(gateways: FeedGateways, listeners: Set<Listener>, lastEventId: string | null): FeedCore {
  let state: FeedState = 'connecting';
  let position = newPosition(null, lastEventId);
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
      await gateways.sessions.token();
      const account = await gateways.sessions.accountId();
      if (account === position.account) return;
      // Events since the previous account was left are new events of this account.
      position = newPosition(account, position.account === null ? position.lastEventId : null, position.disconnectedAt);
    },
    reset() {
      state = 'connecting';
      position = newPosition(null, lastEventId);
    },
  };
}

function newPosition(account: string | null, lastEventId: string | null, startedAt = Date.now()): FeedPosition {
  const delivered = createDeliveredEvents();
  return { account, lastEventId, delivered, startedAt, snapshotAt: startedAt, disconnectedAt: startedAt };
}
