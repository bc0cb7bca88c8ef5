import type { JobEvent } from '../types.ts';
import type { Feed } from './feed.ts';

/** The feed's events from now on; begins with the videos that are running. Ends when the signal aborts. */
export async function* iterateEvents(feed: Feed, signal?: AbortSignal): AsyncGenerator<JobEvent, void, undefined> {
  if (signal?.aborted) return;
  const queue: JobEvent[] = [];
  let resume = () => {};
  const onEvent = (event: JobEvent) => {
    queue.push(event);
    resume();
  };
  const onAbort = () => resume();
  signal?.addEventListener('abort', onAbort);
  const unsubscribe = feed.subscribe({ onEvent });
  try {
    while (!signal?.aborted) {
      const event = queue.shift();
      if (event) yield event;
      else
        await new Promise<void>((resolve) => {
          resume = resolve;
        });
    }
  } finally {
    unsubscribe();
    signal?.removeEventListener('abort', onAbort);
  }
}
