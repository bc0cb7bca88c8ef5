import { errorLabel } from '../../kernel/error-code.ts';
import { createSemaphore } from '../../kernel/semaphore.ts';
import type { Context } from '../context.ts';
import { type AccountFeed, createAccountFeed } from './account-feed.ts';
import type { AccountStream } from './account-streams.ts';

/** A quarter of the connections: after a reconnect, when every account is read again, the other calls keep the rest. */
const READS_MAX = 5;

/** What `notify_access_change` puts before the account's id, and `announce_stream` before the account's and the server's. */
const ACCESS = 'access:';
const STREAM = 'stream:';

export type StreamHub = {
  /**
   * Adds a stream, which is sent everything after its `sentId` from now on. Above the limit, the account's oldest stream ends.
   * Returns the function that removes the stream.
   */
  join(userId: string, stream: AccountStream): () => void;
};

/** All event streams of this process, with one reader per account. Listens to the database while there are any. */
export function createStreamHub(
  ctx: Pick<Context, 'db' | 'log' | 'mediaSigner' | 'newUuid' | 'userEvents'>,
): StreamHub {
  const feeds = new Map<string, AccountFeed>();
  const serverId = ctx.newUuid();
  const reads = createSemaphore(READS_MAX);
  let unsubscribe: (() => void) | null = null;

  function onNotification(payload: string | null): void {
    if (payload === null) {
      // Notifications may have been missed.
      for (const feed of feeds.values()) feed.refresh({ access: true });
    } else if (payload.startsWith(ACCESS)) {
      feeds.get(payload.slice(ACCESS.length))?.refresh({ access: true });
    } else if (payload.startsWith(STREAM)) {
      const [userId = '', openedAt] = payload.slice(STREAM.length).split(':');
      if (openedAt !== serverId) feeds.get(userId)?.streams.makeRoom({ openedElsewhere: 1 });
    } else {
      feeds.get(payload)?.refresh({ access: false });
    }
  }

  function leave(userId: string, feed: AccountFeed, stream: AccountStream): void {
    feed.streams.remove(stream);
    if (feed.streams.all().length > 0 || feeds.get(userId) !== feed) return;
    feeds.delete(userId);
    if (feeds.size > 0) return;
    unsubscribe?.();
    unsubscribe = null;
  }

  return {
    join(userId, stream) {
      const feed = feeds.get(userId) ?? createAccountFeed(ctx, { userId, reads });
      feeds.set(userId, feed);
      feed.streams.add(stream);
      feed.streams.makeRoom({ openedElsewhere: 0 });
      ctx.db.call('announce_stream', { user_id: userId, server_id: serverId }).catch((error) => {
        ctx.log.warn({ code: errorLabel(error) }, 'an event stream could not be announced to other servers');
      });
      // Before the first read, so that no event and no ban is missed between the two.
      unsubscribe ??= ctx.userEvents.subscribe(onNotification);
      feed.refresh({ access: true });
      return () => leave(userId, feed, stream);
    },
  };
}
