/** What happens to an account's videos and credits, to everybody here who listens: one stream for all of them. */

import { createFeedCore, type FeedGateways } from './feed-core.ts';
import { callSafely, type FeedState, type Listener } from './listeners.ts';
import { onReturn } from './on-reconnect.ts';
import { createLooker, GRACE_MS } from './poller.ts';
import { createStreamer } from './stream-connection.ts';

export type Feed = {
  /** Begins to listen; hears first of the videos that are known to be under way. Returns what ends it. */
  join(listener: Listener): () => void;
  state(): FeedState;
  /** There is news to be expected. */
  nudge(): void;
  /** The session is another one. */
  restart(): void;
};

export function createFeed(gateways: FeedGateways, lastEventId: string | null = null): Feed {
  const listeners = new Set<Listener>();
  const core = createFeedCore(gateways, listeners, lastEventId);
  let forgetReturns = () => {};
  const looker = createLooker(core, { onServerBack: () => streamer.hurry() });
  const streamer = createStreamer(core, {
    onOpen: (isFresh) => looker.rest(isFresh),
    onLost: () => looker.lookIn(GRACE_MS),
  });

  function start(): void {
    core.reset();
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
    if (core.state() !== 'live') looker.lookIn(0);
  }

  return {
    join(listener) {
      listeners.add(listener);
      if (listeners.size === 1) start();
      callSafely(() => listener.onState?.(core.state()));
      for (const event of core.place().told.running()) callSafely(() => listener.onEvent?.(event));
      return () => {
        if (listeners.delete(listener) && listeners.size === 0) stop();
      };
    },
    state: () => core.state(),
    nudge() {
      if (listeners.size > 0 && core.state() === 'polling') looker.lookIn(0);
    },
    restart() {
      if (listeners.size === 0) return;
      core.place().lostAt = Date.now();
      streamer.reconnect();
      hurry();
    },
  };
}
