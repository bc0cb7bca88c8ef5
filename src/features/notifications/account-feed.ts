import type { Semaphore } from '../../kernel/semaphore.ts';
import type { Context } from '../context.ts';
import { allowedSessions } from './allowed-sessions.ts';
import { readEvents, type StoredEvent } from './event-reader.ts';

/** One open event stream of an account. */
export type AccountStream = {
  /** The id of the last event that it was sent. The feed moves it forward. */
  sentId: number;
  /** Null for a token without a session. */
  sessionId: string | null;
  /** Returns false if the stream has ended. */
  send(event: StoredEvent): boolean | Promise<boolean>;
  end(): void;
};

export type AccountFeed = {
  add(stream: AccountStream): void;
  /** Safe to repeat. */
  remove(stream: AccountStream): void;
  isEmpty(): boolean;
  /**
   * Ends the streams that have too many newer ones: those that are open here, and those that were opened on other servers since,
   * which may have ended meanwhile. Their clients reconnect, as the newest.
   */
  makeRoom(opened: { openedElsewhere: number }): void;
  /** Sends all new events to the streams that lack them. `access`: also ends the streams that are not allowed any more. */
  refresh(wanted: { access: boolean }): void;
};

/** Enough for a user's devices and tabs. */
const STREAMS_PER_ACCOUNT_MAX = 5;

type FeedOptions = { userId: string; reads: Semaphore };

/**
 * Reads an account's events once for all its streams in this process, oldest first, and sends each stream what it lacks. Calls
 * of `refresh` during a read are answered by one more read.
 */
export function createAccountFeed(ctx: Pick<Context, 'db' | 'log'>, { userId, reads }: FeedOptions): AccountFeed {
  /** Oldest first, each with the number of streams that were opened on other servers since. */
  const streams = new Map<AccountStream, number>();
  let isRunning = false;
  let wantsEvents = false;
  let wantsAccess = false;

  async function endRefused(): Promise<void> {
    const open = [...streams.keys()];
    const sessionIds = new Set(open.flatMap(({ sessionId }) => sessionId ?? []));
    const allowed = await allowedSessions(ctx, userId, [...sessionIds]);
    for (const stream of open) {
      if (allowed === null || (stream.sessionId !== null && !allowed.has(stream.sessionId))) remove(stream);
    }
  }

  async function sendPage(): Promise<void> {
    // A stream that joins during the read may be behind its beginning: the refresh of its joining reads for it.
    const readers = [...streams.keys()];
    const { events, hasMore } = await readEvents(ctx, userId, Math.min(...readers.map(({ sentId }) => sentId)));
    wantsEvents ||= hasMore;
    await Promise.all(readers.map((stream) => sendTo(stream, events)));
  }

  async function sendTo(stream: AccountStream, events: StoredEvent[]): Promise<void> {
    for (const event of events) {
      if (event.id <= stream.sentId) continue;
      if (!(await stream.send(event))) return remove(stream);
      stream.sentId = event.id;
    }
  }

  function remove(stream: AccountStream): void {
    if (streams.delete(stream)) stream.end();
  }

  async function run(): Promise<void> {
    while (streams.size > 0 && (wantsEvents || wantsAccess)) {
      await reads(async () => {
        const checksAccess = wantsAccess;
        wantsAccess = false;
        if (checksAccess) await endRefused();
        wantsEvents = false;
        if (streams.size > 0) await sendPage();
      });
    }
  }

  return {
    add: (stream) => void streams.set(stream, 0),
    remove,
    isEmpty: () => streams.size === 0,
    makeRoom({ openedElsewhere }) {
      let newerHere = streams.size;
      for (const [stream, before] of streams) {
        newerHere -= 1;
        streams.set(stream, before + openedElsewhere);
        if (before + openedElsewhere + newerHere >= STREAMS_PER_ACCOUNT_MAX) remove(stream);
      }
    },
    refresh({ access }) {
      wantsEvents = true;
      wantsAccess ||= access;
      if (isRunning) return;
      isRunning = true;
      run()
        .catch((error) => {
          // The clients reconnect with their last ids, so that nothing is lost when their streams end here.
          ctx.log.warn({ error: error instanceof Error ? error.name : 'unknown' }, 'an event feed failed');
          for (const stream of streams.keys()) remove(stream);
        })
        .finally(() => {
          isRunning = false;
        });
    },
  };
}
