import { Problem } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import { describeError } from './describe-error.ts';
import type { ByteRange } from './range.ts';

/** The part of the media store that serving uses. `etag` is strong and quoted. */
export type ReadableMedia = {
  info(key: string): Promise<{ bytes: number; etag: string; modifiedAt: Date } | null>;
  read(key: string, range?: ByteRange): Promise<ReadableStream<Uint8Array> | null>;
};

type OpenMediaOptions = { store: ReadableMedia; key: string; request: Request; log: Log; begin?: () => () => void };

/**
 * Returns a stored object, or a range of it, as a response body. Resolves once the first bytes have arrived, so that a
 * failing store gives a 503 and not a broken 200. The read ends when the client disconnects.
 */
export async function openMedia(options: OpenMediaOptions, range?: ByteRange): Promise<ReadableStream<Uint8Array>> {
  const end = options.begin?.() ?? (() => {});
  try {
    return await openCounted(options, range, end);
  } catch (error) {
    end();
    throw error;
  }
}

/** `end` is called once nothing is read any more, however that comes about. */
async function openCounted(
  { store, key, request, log }: OpenMediaOptions,
  range: ByteRange | undefined,
  end: () => void,
): Promise<ReadableStream<Uint8Array>> {
  const stream = await orStorageProblem(() => store.read(key, range));
  if (stream === null) throw new Problem('ERR_4007');
  const reader = stream.getReader();
  const stop = () => {
    end();
    reader.cancel().catch(() => {});
  };
  if (request.signal.aborted) stop();
  else request.signal.addEventListener('abort', stop, { once: true });

  let first: ReadableStreamReadResult<Uint8Array> | undefined = await orStorageProblem(() => reader.read());
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = first ?? (await reader.read());
        first = undefined;
        if (!done) return controller.enqueue(value);
        end();
        controller.close();
      } catch (error) {
        end();
        log.warn({ key, error: describeError(error) }, 'a stored object could not be read to its end');
        // Without the store's message: an HTTP adapter may print it.
        controller.error(new Error('the object could not be read to its end'));
      }
    },
    cancel(reason) {
      end();
      return reader.cancel(reason);
    },
  });
}

/** Runs a call to the store. Any error that is not a problem becomes ERR_6002. */
export async function orStorageProblem<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw error instanceof Problem ? error : new Problem('ERR_6002', { cause: error });
  }
}
