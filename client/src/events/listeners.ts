import type { JobEvent } from '../types.ts';

/**
 * `live`: events arrive as they happen. `polling`: the stream does not get through, so the client polls.
 * `offline`: no answer comes, or the server refuses.
 */
export type FeedState = 'connecting' | 'live' | 'polling' | 'offline';

export type Listener = {
  onEvent?: ((event: JobEvent) => void) | undefined;
  /** `error`: why the client is offline. */
  onState?: ((state: FeedState, error?: unknown) => void) | undefined;
};
