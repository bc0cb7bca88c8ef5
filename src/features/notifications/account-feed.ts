import type { Semaphore } from '../../kernel/semaphore.ts';
import type { Context } from '../context.ts';
import { type AccountStream, type AccountStreams, createAccountStreams } from './account-streams.ts';
import { allowedSessions } from './allowed-sessions.ts';
import { readEvents, type StoredEvent } from './event-reader.ts';

export type AccountFeed = {
  streams: AccountStreams;
  /** Sends all new events to the streams that lack them. `access`: also ends the streams that are not allowed any more. */
  refresh(wanted: { access: boolean }): void;
};

type FeedOptions = { userId: string; reads: Semaphore };

/**
 * Reads an account's events once for all its streams in this process, oldest first, and sends each stream what it lacks. Calls
 * of `refresh` during a read are answered by one more read.
 */
export function createAccountFeed(
  ctx: Pick<Context, 'db' | 'log' | 'mediaSigner'>,
  { userId, reads }: FeedOptions,
): AccountFeed {
  const streams = createAccountStreams();
  let isRunning = false;
  let wantsEvents = false;
  let wantsAccess = false;

  async function endRefused(): Promise<void> {
    const open = streams.all();
    const sessionIds = new Set(open.flatMap(({ sessionId }) => sessionId ?? []));
    const allowed = await allowedSessions(ctx, userId, [...sessionIds]);
    for (const stream of open) {
      if (allowed === null || (stream.sessionId !== null && !allowed.has(stream.sessionId))) streams.remove(stream);
    }
  }

  async function sendPage(): Promise<void> {
    // A stream that joins during the read may be behind its beginning: the refresh of its joining reads for it.
    const readers = streams.all();
    if (readers.length === 0) return;
    const { events, hasMore } = await readEvents(ctx, userId, Math.min(...readers.map(({ sentId }) => sentId)));
    wantsEvents ||= hasMore;
    await Promise.all(readers.map((stream) => sendTo(stream, events)));
  }

  async function sendTo(stream: AccountStream, events: StoredEvent[]): Promise<void> {
    for (const event of events) {
      if (event.id <= stream.sentId) continue;
      if (!(await stream.send(event))) return streams.remove(stream);
      stream.sentId = event.id;
    }
  }

  async function run(): Promise<void> {
    try {
      while (streams.all().length > 0 && (wantsEvents || wantsAccess)) {
        await reads(async () => {
          const checksAccess = wantsAccess;
          wantsAccess = false;
          if (checksAccess) await endRefused();
          wantsEvents = false;
          await sendPage();
        });
      }
    } finally {
      // Here and not in a later turn: a refresh between the two would be lost.
      isRunning = false;
    }
  }

  return {
    streams,
    refresh({ access }) {
      wantsEvents = true;
      wantsAccess ||= access;
      if (isRunning) return;
      isRunning = true;
      run().catch((error) => {
        // The clients reconnect with their last ids, so that nothing is lost when their streams end here.
        ctx.log.warn({ error: error instanceof Error ? error.name : 'unknown' }, 'an event feed failed');
        for (const stream of streams.all()) streams.remove(stream);
      });
    },
  };
}
