import type { StoredEvent } from './event-reader.ts';

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

export type AccountStreams = {
  add(stream: AccountStream): void;
  /** Removes and ends it. Safe to repeat. */
  remove(stream: AccountStream): void;
  /** Oldest first. */
  all(): AccountStream[];
  /**
   * Ends the streams that have too many newer ones: those that are open here, and those that were opened on other servers since,
   * which may have ended meanwhile. Their clients reconnect, as the newest.
   */
  makeRoom(opened: { openedElsewhere: number }): void;
};

/** Enough for a user's devices and tabs. */
const STREAMS_PER_ACCOUNT_MAX = 5;

/** The streams of one account in this process. */
export function createAccountStreams(): AccountStreams {
  /** Each with the number of streams that were opened on other servers since. */
  const streams = new Map<AccountStream, number>();

  function remove(stream: AccountStream): void {
    if (streams.delete(stream)) stream.end();
  }

  return {
    add: (stream) => void streams.set(stream, 0),
    remove,
    all: () => [...streams.keys()],
    makeRoom({ openedElsewhere }) {
      let newerHere = streams.size;
      for (const [stream, before] of streams) {
        newerHere -= 1;
        streams.set(stream, before + openedElsewhere);
        if (before + openedElsewhere + newerHere >= STREAMS_PER_ACCOUNT_MAX) remove(stream);
      }
    },
  };
}
