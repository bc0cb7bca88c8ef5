import { backoffMs, pause, waitMsAfter } from '../http/timers.ts';
import type { FeedCore } from './feed-core.ts';
import { readStream } from './stream.ts';

export type Streamer = {
  start(): void;
  stop(): void;
  /** Lets go of the stream that is open; the next one follows. */
  reconnect(): void;
  /** Ends the wait before the next try. */
  hurry(): void;
};

const BACKOFF = { baseMs: 500, maxMs: 30_000 };
/** The server keeps events for a day; after this long away the stream begins anew. */
const AWAY_MAX_MS = 20 * 3_600_000;

/** Keeps the account's stream open, and comes back behind the last event whenever it ends. */
export function createStreamer(
  core: FeedCore,
  { onOpen, onLost }: { onOpen: (isFresh: boolean) => void; onLost: () => void },
): Streamer {
  let stopping = new AbortController();
  let stream = new AbortController();
  let rest = new AbortController();

  async function run(stopped: AbortSignal): Promise<void> {
    for (let failures = 0; !stopped.aborted; ) {
      stream = new AbortController();
      let error: unknown = null;
      try {
        await core.enter();
        if (stopped.aborted) return;
        await readFeed(core, stream, (isFresh) => {
          failures = 0;
          onOpen(isFresh);
        });
      } catch (thrown) {
        error = thrown;
      }
      if (stopped.aborted) return;
      if (core.state() === 'live') {
        core.place().lostAt = Date.now();
        core.setState('connecting');
        onLost();
      }
      failures += 1;
      rest = new AbortController();
      await pause(waitMsAfter(error, backoffMs(failures, BACKOFF)), stopped, rest.signal);
    }
  }

  return {
    start() {
      stopping = new AbortController();
      run(stopping.signal);
    },
    stop() {
      stopping.abort();
      stream.abort();
    },
    reconnect: () => stream.abort(),
    hurry: () => rest.abort(),
  };
}

/** Reads one stream into the feed until it ends. `onOpen` hears whether it begins with how things stand. */
async function readFeed(core: FeedCore, ours: AbortController, onOpen: (isFresh: boolean) => void): Promise<void> {
  const place = core.place();
  if (Date.now() - place.lostAt > AWAY_MAX_MS) place.lastId = null;
  const { lastId } = place;
  await readStream(core.api, {
    lastId,
    signal: ours.signal,
    onOpen() {
      if (lastId === null) place.openedAt = Date.now();
      core.setState('live');
      onOpen(lastId === null);
      letGoOfAnother(core, ours);
    },
    onEvent: (event) => core.tell(event, 'stream'),
    onPlace: (id) => {
      place.lastId = id;
    },
  });
}

/** The session may have become another account's on the way in. */
async function letGoOfAnother(core: FeedCore, ours: AbortController): Promise<void> {
  if ((await core.sessions.accountId()) !== core.place().account) ours.abort();
}
