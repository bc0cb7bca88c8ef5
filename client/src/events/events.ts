import type { JobEvent } from '../types.ts';
import type { Feed } from './feed.ts';

/** What happens from now on, each once and in order; begins with the videos that are under way. Ends with the signal. */
export async function* eventsOf(feed: Feed, signal?: AbortSignal): AsyncGenerator<JobEvent, void, undefined> {
  if (signal?.aborted) return;
  const queue: JobEvent[] = [];
  let wake = () => {};
  const hear = (event: JobEvent) => {
    queue.push(event);
    wake();
  };
  const onAbort = () => wake();
  signal?.addEventListener('abort', onAbort);
  const leave = feed.join({ onEvent: hear });
  try {
    while (!signal?.aborted) {
      const event = queue.shift();
      if (event) yield event;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    leave();
    signal?.removeEventListener('abort', onAbort);
  }
}
