import type { Log } from '../kernel/log.ts';

/** `signal` is the request's: some servers abort it when the reader leaves, and do not cancel the body. */
export type StreamTextOptions = { log: Log; signal: AbortSignal; onEnd: () => void };

/**
 * Sends the texts as they come, at the reader's pace; when the reader leaves, the generator is ended. After the first byte a
 * failure can only cut the body off, so that no client takes a part for the whole. `onEnd` is called once, however it ends.
 */
export function streamText(
  texts: AsyncGenerator<string>,
  { log, signal, onEnd }: StreamTextOptions,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let isEnded = false;
  function end(): void {
    if (isEnded) return;
    isEnded = true;
    signal.removeEventListener('abort', leave);
    onEnd();
  }
  /** Waits for the text that is being made. */
  async function leave(): Promise<void> {
    await texts.return(undefined).catch(() => {});
    end();
  }
  if (signal.aborted) void leave();
  else signal.addEventListener('abort', leave);
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await texts.next();
        if (!done) return controller.enqueue(encoder.encode(value));
        end();
        controller.close();
      } catch (error) {
        end();
        log.error({ error: error instanceof Error ? error.name : 'unknown' }, 'a streamed response was cut off');
        controller.error(error);
      }
    },
    cancel: leave,
  });
}
