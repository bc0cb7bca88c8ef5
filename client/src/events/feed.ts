/** Delivers the changes of an account's videos and credits to all listeners of a client, through one stream. */

import { callSafely } from '../http/listeners.ts';
import { createFeedCore, type FeedGateways } from './feed-core.ts';
import type { FeedState, Listener } from './listeners.ts';
import { onReconnect } from './on-reconnect.ts';
import { createPoller, GRACE_MS } from './poller.ts';
import { createStreamConnection } from './stream-connection.ts';

export type Feed = {
  /** Starts listening; the videos that are known to be running come first. Returns a function that unsubscribes. */
  subscribe(listener: Listener): () => void;
  state(): FeedState;
  /** While polling, polls at once: something has just changed. */
  pollSoon(): void;
};

export function createFeed(gateways: FeedGateways, lastEventId: string | null = null): Feed {
  const listeners = new Set<Listener>();
  const core = createFeedCore(gateways, listeners, lastEventId);
  let stopWatching = () => {};
  const poller = createPoller(core, { onServerBack: () => connection.retryNow() });
  const connection = createStreamConnection(core, {
    onOpen: (isFromSnapshot) => poller.pauseForStream(isFromSnapshot),
    onLost: () => poller.pollIn(GRACE_MS),
  });

  function start(): void {
    core.reset();
    const stopWatchingNetwork = onReconnect({ onReconnect: retryNow, onOffline: connection.reconnect });
    const stopWatchingSession = core.sessions.onChange(() => core.isSyncing() || restart());
    stopWatching = () => {
      stopWatchingNetwork();
      stopWatchingSession();
    };
    poller.pollIn(core.canStream ? GRACE_MS : 0);
    if (core.canStream) connection.start();
  }

  function stop(): void {
    connection.stop();
    poller.stop();
    stopWatching();
  }

  /** Reconnects, because the session has changed. */
  function restart(): void {
    const position = core.position();
    position.changedAt = Date.now();
    if (core.state() === 'live') position.disconnectedAt = position.changedAt;
    connection.reconnect();
    retryNow();
  }

  function retryNow(): void {
    connection.retryNow();
    if (core.state() !== 'live') poller.pollIn(0);
  }

  return {
    subscribe(listener) {
      listeners.add(listener);
      if (listeners.size === 1) start();
      callSafely(() => listener.onState?.(core.state()));
      for (const event of core.position().delivered.ofRunningJobs()) callSafely(() => listener.onEvent?.(event));
      return () => {
        if (listeners.delete(listener) && listeners.size === 0) stop();
      };
    },
    state: () => core.state(),
    pollSoon() {
      if (listeners.size > 0 && core.state() === 'polling') poller.pollIn(0);
    },
  };
}
