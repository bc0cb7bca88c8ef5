/** What happens to an account's videos and credits, to everybody here who listens: one stream for all of them. */

import type { Http } from '../http/http.ts';
import type { Api } from '../session/api.ts';
import type { Sessions } from '../session/session.ts';
import type { JobEvent } from '../types.ts';
import { createTold } from './delivered-events.ts';
import type { FeedCore, FeedState, Place } from './feed-core.ts';
import { onReturn } from './on-reconnect.ts';
import { createLooker, GRACE_MS } from './poller.ts';
import { createStreamer } from './stream-connection.ts';

export type Listener = {
  onEvent?: ((event: JobEvent) => void) | undefined;
  /** `error`: why the client is offline. */
  onState?: ((state: FeedState, error?: unknown) => void) | undefined;
};

export type Feed = {
  /** Begins to listen; hears first of the videos that are known to be under way. Returns what ends it. */
  join(listener: Listener): () => void;
  state(): FeedState;
  /** There is news to be expected. */
  nudge(): void;
  /** The session is another one. */
  restart(): void;
};

export function createFeed(
  gateways: { api: Api; http: Http; sessions: Sessions },
  lastEventId: string | null = null,
): Feed {
  const listeners = new Set<Listener>();
  let state: FeedState = 'connecting';
  let place = newPlace(null, lastEventId);
  let forgetReturns = () => {};

  const core: FeedCore = {
    ...gateways,
    place: () => place,
    state: () => state,
    setState(next, error) {
      if (state === next) return;
      state = next;
      for (const { onState } of listeners) protect(() => onState?.(next, error));
    },
    tell(event, source) {
      if (!place.told.isNews(event, source)) return;
      for (const { onEvent } of listeners) protect(() => onEvent?.(event));
    },
    async enter() {
      await gateways.sessions.token();
      const account = await gateways.sessions.accountId();
      if (account === place.account) return;
      // What happened since the other account was left is news of this one.
      place = newPlace(account, place.account === null ? place.lastId : null, place.lostAt);
    },
  };
  const looker = createLooker(core, { onServerBack: () => streamer.hurry() });
  const streamer = createStreamer(core, {
    onOpen: (isFresh) => looker.rest(isFresh),
    onLost: () => looker.lookIn(GRACE_MS),
  });

  function start(): void {
    state = 'connecting';
    place = newPlace(null, lastEventId);
    forgetReturns = onReturn({ onReturn: hurry, onLost: streamer.reconnect });
    looker.lookIn(GRACE_MS);
    streamer.start();
  }

  function stop(): void {
    streamer.stop();
    looker.stop();
    forgetReturns();
  }

  function hurry(): void {
    streamer.hurry();
    if (state !== 'live') looker.lookIn(0);
  }

  return {
    join(listener) {
      listeners.add(listener);
      if (listeners.size === 1) start();
      protect(() => listener.onState?.(state));
      for (const event of place.told.running()) protect(() => listener.onEvent?.(event));
      return () => {
        if (listeners.delete(listener) && listeners.size === 0) stop();
      };
    },
    state: () => state,
    nudge() {
      if (listeners.size > 0 && state === 'polling') looker.lookIn(0);
    },
    restart() {
      if (listeners.size === 0) return;
      place.lostAt = Date.now();
      streamer.reconnect();
      hurry();
    },
  };
}

function newPlace(account: string | null, lastId: string | null, startedAt = Date.now()): Place {
  return { account, lastId, told: createTold(), startedAt, openedAt: startedAt, lostAt: startedAt };
}

/** A listener's error is the listener's: it is reported as an uncaught one, and the others go on. */
function protect(work: () => void): void {
  try {
    work();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
