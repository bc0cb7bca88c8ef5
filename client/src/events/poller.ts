import { backoffMs, waitMsAfter } from '../http/timers.ts';
import type { JobEvent } from '../types.ts';
import type { FeedCore } from './feed-core.ts';
import { look } from './poll.ts';

export type Looker = {
  /** Looks after `ms`, and then again and again until a stream is open. */
  lookIn(ms: number): void;
  /** A stream is open. One that begins does not tell what ended before: that is looked for once. */
  rest(isFresh: boolean): void;
  stop(): void;
};

/** Lost connections come back within seconds; only then the client begins to ask. */
export const GRACE_MS = 2_000;
const RUNNING_MS = 2_000;
const IDLE_MS = 10_000;
const BACKOFF = { baseMs: 1_000, maxMs: 10_000 };
/** The server's clock is known to the second. */
const CLOCK_MS = 1_000;

/** Asks for news where they do not come by themselves. */
export function createLooker(core: FeedCore, { onServerBack }: { onServerBack: () => void }): Looker {
  let looking = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  /** What ended between the beginning of the listening and that of the stream. */
  let isOwed = false;

  function lookIn(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(lookNow, ms);
  }

  async function lookNow(): Promise<void> {
    const graceMs = core.place().lostAt + GRACE_MS - Date.now();
    if (core.state() === 'connecting' && graceMs > 0) return lookIn(graceMs);
    looking.abort();
    looking = new AbortController();
    const waitMs = await once(looking.signal);
    if (waitMs !== null && (core.state() !== 'live' || isOwed)) lookIn(waitMs);
  }

  /** Returns when to look again, in milliseconds; null when the look was called off. */
  async function once(signal: AbortSignal): Promise<number | null> {
    try {
      await core.enter();
      const place = core.place();
      const sinceMs = () => core.http.now(place.startedAt);
      const found = await look({ api: core.api, told: place.told, sinceMs }, signal);
      if (signal.aborted || place !== core.place()) return null;
      for (const event of found.filter(isOurs)) core.tell(event, 'look');
      isOwed = false;
      failures = 0;
      // The server is back: so may be the stream.
      if (core.state() === 'offline') onServerBack();
      if (core.state() !== 'live') core.setState('polling');
      return place.told.running().length > 0 ? RUNNING_MS : IDLE_MS;
    } catch (error) {
      if (signal.aborted) return null;
      failures += 1;
      if (core.state() !== 'live') core.setState('offline', error);
      return waitMsAfter(error, backoffMs(failures, BACKOFF));
    }
  }

  /** What goes on, and what came after its beginning, is the stream's to tell where there is one. */
  function isOurs({ type, created_at }: JobEvent): boolean {
    if (core.state() !== 'live') return true;
    const until = new Date(core.http.now(core.place().openedAt) + CLOCK_MS).toISOString();
    return type !== 'queued' && type !== 'processing' && created_at <= until;
  }

  return {
    lookIn,
    rest(isFresh) {
      clearTimeout(timer);
      looking.abort();
      isOwed ||= isFresh;
      if (isOwed) lookNow();
    },
    stop() {
      clearTimeout(timer);
      looking.abort();
      isOwed = false;
    },
  };
}
