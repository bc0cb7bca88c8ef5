/** What happens to an account's videos and credits, to everybody here who listens: one stream for all of them. */
import type { Api } from './api.ts';
import type { Http } from './http.ts';
import { createLooker, GRACE_MS } from './looker.ts';
import type { Sessions } from './session.ts';
import { createStreamer } from './streamer.ts';
import { createTold, type Source, type Told } from './told.ts';
import type { JobEvent } from './types.ts';
import { onReturn } from './wake.ts';

/**
 * `live`: events come as they happen. `polling`: the stream does not come through, the client asks instead.
 * `offline`: nobody answers, or the server refuses.
 */
export type FeedState = 'connecting' | 'live' | 'polling' | 'offline';

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

/** What the two ways to news share. */
export type FeedCore = {
  api: Api;
  http: Http;
  sessions: Sessions;
  place(): Place;
  state(): FeedState;
  setState(state: FeedState, error?: unknown): void;
  tell(event: JobEvent, source: Source): void;
  /** Finds out whose events they are; another account's begin anew. */
  enter(): Promise<void>;
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
