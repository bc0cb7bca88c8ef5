import { SignedOutError } from '../http/errors.ts';
import { backoffMs, delay, retryDelayMs } from '../http/timers.ts';
import type { FeedCore } from './feed-core.ts';
import { readStream } from './stream.ts';

export type StreamConnection = {
  start(): void;
  stop(): void;
  /** Closes the open stream and opens another. */
  reconnect(): void;
  /** Ends the wait before the next attempt. */
  retryNow(): void;
};

const BACKOFF = { baseMs: 500, maxMs: 30_000 };
/** The server keeps events for a day; after this long without a connection the stream begins with a snapshot. */
const DISCONNECTED_MAX_MS = 20 * 3_600_000;
/** A stream that the server ends before has made room for a newer one: an account may have five. */
const SETTLED_MS = 60_000;

/** Keeps the account's stream open: whenever it ends, opens another that resumes after the last event. */
export function createStreamConnection(
  core: FeedCore,
  { onOpen, onLost }: { onOpen: (isFromSnapshot: boolean) => void; onLost: () => void },
): StreamConnection {
  let connection = new AbortController();
  let stream = new AbortController();
  let wait = new AbortController();

  async function run(stopped: AbortSignal): Promise<void> {
    for (let failures = 0; !stopped.aborted; ) {
      stream = new AbortController();
      let error: unknown = null;
      let openedAt = 0;
      try {
        await core.syncAccount();
        if (stopped.aborted) return;
        await readIntoFeed(core, stream, (isFromSnapshot) => {
          openedAt = Date.now();
          onOpen(isFromSnapshot);
        });
      } catch (thrown) {
        error = thrown;
      }
      if (stopped.aborted) return;
      const isSignedOut = error instanceof SignedOutError;
      // Six tabs that each came back at once would end one another's streams for ever.
      const madeRoom = error === null && Date.now() - openedAt < SETTLED_MS;
      if (openedAt > 0 && !madeRoom) failures = 0;
      if (core.state() === 'live') {
        core.position().disconnectedAt = Date.now();
        if (!isSignedOut) core.setState('connecting');
        onLost();
      }
      if (isSignedOut) core.setState('offline', error);
      failures += 1;
      wait = new AbortController();
      await delay(retryDelayMs(error, backoffMs(failures, BACKOFF)), stopped, wait.signal);
    }
  }

  return {
    start() {
      connection = new AbortController();
      run(connection.signal);
    },
    stop() {
      connection.abort();
      stream.abort();
    },
    reconnect: () => stream.abort(),
    retryNow: () => wait.abort(),
  };
}

/** Reads one stream into the feed until it ends. `onOpen` receives whether the stream begins with a snapshot. */
async function readIntoFeed(
  core: FeedCore,
  stream: AbortController,
  onOpen: (isFromSnapshot: boolean) => void,
): Promise<void> {
  const position = core.position();
  if (Date.now() - position.disconnectedAt > DISCONNECTED_MAX_MS) position.lastEventId = null;
  const { lastEventId } = position;
  await readStream(core.api, {
    lastEventId,
    signal: stream.signal,
    onOpen() {
      if (lastEventId === null || position.isMerged) position.snapshotAt = Date.now();
      core.setState('live');
      onOpen(lastEventId === null);
      closeIfAccountChanged(core, stream);
    },
    onEvent: (event) => core.deliver(event, 'stream'),
    onLastEventId: (id) => {
      position.lastEventId = id;
    },
  });
}

/** The session may have changed to another account while the stream was being opened. */
async function closeIfAccountChanged(core: FeedCore, stream: AbortController): Promise<void> {
  if ((await core.sessions.accountId()) !== core.position().account) stream.abort();
}
