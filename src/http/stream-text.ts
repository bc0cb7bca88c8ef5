import type { Log } from '../kernel/log.ts';

/**
 * Sends the texts as they come, at the reader's pace; when the reader leaves, the generator is ended. After the first byte a
 * failure can only cut the body off, so that no client takes a part for the whole. `onEnd` is called once, however it ends.
 */
export function streamText(
  texts: AsyncGenerator<string>,
  { log, onEnd }: { log: Log; onEnd: () => void },
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await texts.next();
        if (!done) return controller.enqueue(encoder.encode(value));
        onEnd();
        controller.close();
      } catch (error) {
        onEnd();
        log.error({ error: error instanceof Error ? error.name : 'unknown' }, 'a streamed response was cut off');
        controller.error(error);
      }
    },
    async cancel() {
      await texts.return(undefined).finally(onEnd);
    },
  });
}
