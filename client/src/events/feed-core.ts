/** What the ways in which news reach the client share. */
import type { Http } from '../http/http.ts';
import type { Api } from '../session/api.ts';
import type { Sessions } from '../session/session.ts';
import type { JobEvent } from '../types.ts';
import { createTold, type Source, type Told } from './delivered-events.ts';
import { callSafely, type FeedState, type Listener } from './listeners.ts';

/** Whose events are told, and how far; times in milliseconds by this machine's clock. */
export type Place = {
  account: string | null;
  /** Null: the stream begins with how things stand. */
  lastId: string | null;
  told: Told;
  startedAt: number;
  /** When the stream last began anew. */
  openedAt: number;
  lostAt: number;
};

export type FeedGateways = { api: Api; http: Http; sessions: Sessions };

/** What the two ways to news share. */
export type FeedCore = FeedGateways & {
  place(): Place;
  state(): FeedState;
  setState(state: FeedState, error?: unknown): void;
  tell(event: JobEvent, source: Source): void;
  /** Finds out whose events they are; another account's begin anew. */
  enter(): Promise<void>;
  /** Back to the state before the first connection. Listeners are not told. */
  reset(): void;
};

export function createFeedCore(gateways: FeedGateways, listeners: Set<Listener>, lastEventId: string | null): FeedCore {
  let state: FeedState = 'connecting';
  let place = newPlace(null, lastEventId);
  return {
    ...gateways,
    place: () => place,
    state: () => state,
    setState(next, error) {
      if (state === next) return;
      state = next;
      for (const { onState } of listeners) callSafely(() => onState?.(next, error));
    },
    tell(event, source) {
      if (!place.told.isNews(event, source)) return;
      for (const { onEvent } of listeners) callSafely(() => onEvent?.(event));
    },
    async enter() {
      await gateways.sessions.token();
      const account = await gateways.sessions.accountId();
      if (account === place.account) return;
      // What happened since the other account was left is news of this one.
      place = newPlace(account, place.account === null ? place.lastId : null, place.lostAt);
    },
    reset() {
      state = 'connecting';
      place = newPlace(null, lastEventId);
    },
  };
}

function newPlace(account: string | null, lastId: string | null, startedAt = Date.now()): Place {
  return { account, lastId, told: createTold(), startedAt, openedAt: startedAt, lostAt: startedAt };
}
