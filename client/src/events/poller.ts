import { backoffMs, retryDelayMs } from '../http/timers.ts';
import type { JobEvent } from '../types.ts';
import type { FeedCore } from './feed-core.ts';
import { poll } from './poll.ts';

export type Poller = {
  /** Polls after `ms`, then repeatedly until a stream is open. */
  pollIn(ms: number): void;
  /**
   * Stops polling, because a stream is open. A stream that begins with a snapshot does not deliver what ended before: one
   * more poll finds that.
   */
  pauseForStream(isFromSnapshot: boolean): void;
  stop(): void;
};

/** A lost connection usually comes back within seconds: polling starts only after this time. */
export const GRACE_MS = 2_000;
const RUNNING_INTERVAL_MS = 2_000;
const IDLE_INTERVAL_MS = 10_000;
const BACKOFF = { baseMs: 1_000, maxMs: 10_000 };
/** The server's time is known to the second. */
const CLOCK_PRECISION_MS = 1_000;

/** Polls for events when the stream does not deliver them. */
export function createPoller(core: FeedCore, { onServerBack }: { onServerBack: () => void }): Poller {
  let currentPoll = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  /** Whether a poll must still find what ended between the start of the feed and the stream's snapshot. */
  let needsCatchUp = false;

  function pollIn(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(pollNow, ms);
  }

  async function pollNow(): Promise<void> {
    const graceMs = core.position().disconnectedAt + GRACE_MS - Date.now();
    if (core.canStream && core.state() === 'connecting' && graceMs > 0) return pollIn(graceMs);
    currentPoll.abort();
    currentPoll = new AbortController();
    const waitMs = await pollOnce(currentPoll.signal);
    if (waitMs !== null && (core.state() !== 'live' || needsCatchUp)) pollIn(waitMs);
  }

  /** Returns when to poll again, in milliseconds; null when this poll was aborted. */
  async function pollOnce(signal: AbortSignal): Promise<number | null> {
    try {
      await core.syncAccount();
      const position = core.position();
      const sinceMs = () => core.http.now(position.startedAt);
      const events = await poll({ api: core.api, delivered: position.delivered, sinceMs }, signal);
      if (signal.aborted || position !== core.position()) return null;
      for (const event of events.filter((each) => !isInStream(core, each))) core.deliver(event, 'poll');
      needsCatchUp = false;
      position.isMerged = false;
      failures = 0;
      // The server answers again, so the stream may work again.
      if (core.state() === 'offline') onServerBack();
      if (core.state() !== 'live') core.setState('polling');
      return position.delivered.ofRunningJobs().length > 0 ? RUNNING_INTERVAL_MS : IDLE_INTERVAL_MS;
    } catch (error) {
      if (signal.aborted) return null;
      failures += 1;
      if (core.state() !== 'live') core.setState('offline', error);
      return retryDelayMs(error, backoffMs(failures, BACKOFF));
    }
  }

  return {
    pollIn,
    pauseForStream(isFromSnapshot) {
      clearTimeout(timer);
      currentPoll.abort();
      needsCatchUp ||= isFromSnapshot || core.position().isMerged;
      if (needsCatchUp) pollNow();
    },
    stop() {
      clearTimeout(timer);
      currentPoll.abort();
      needsCatchUp = false;
    },
  };
}

/**
 * An open stream delivers the running jobs and everything after its snapshot; a poll delivers the rest. A stream that continues
 * after a merge has no snapshot.
 */
function isInStream(core: FeedCore, { type, created_at }: JobEvent): boolean {
  if (core.state() !== 'live') return false;
  const { snapshotAt, isMerged } = core.position();
  if (!isMerged && (type === 'queued' || type === 'processing')) return true;
  return created_at > new Date(core.http.now(snapshotAt) + CLOCK_PRECISION_MS).toISOString();
}
