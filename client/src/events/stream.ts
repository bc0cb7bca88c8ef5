/** Reads the account's event stream with fetch: EventSource cannot send a token. */

import { abortReason } from '../http/abort.ts';
import { ConnectionError } from '../http/errors.ts';
import type { Api } from '../session/api.ts';
import type { JobEvent } from '../types.ts';
import { createSseParser } from './sse.ts';

/** The server sends its first bytes at once; when they do not come, something in between (such as a proxy) holds the stream back. */
const FIRST_BYTES_TIMEOUT_MS = 5_000;
/** The server sends a heartbeat every 15 s: after two missed ones the connection counts as dead. */
const SILENCE_TIMEOUT_MS = 35_000;

/** The id of the snapshot's events. It is not a position: a stream that is cut during the snapshot begins again. */
const SNAPSHOT_ID = 'beginning';

export type StreamHandlers = {
  /** The first bytes have arrived. */
  onOpen(): void;
  onEvent(event: JobEvent): void;
  /** The id after which a new stream would resume. */
  onLastEventId(lastEventId: string): void;
};

/** Reads until the stream ends. Throws when it is interrupted, sends nothing for too long, or never begins. */
export async function readStream(
  api: Api,
  { lastEventId, signal, ...handlers }: StreamHandlers & { lastEventId: string | null; signal: AbortSignal },
): Promise<void> {
  const controller = new AbortController();
  const onAbort = () => controller.abort(abortReason(signal));
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) onAbort();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let silence: ConnectionError | undefined;
  const expectBytesWithin = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      silence = new ConnectionError('The event stream sent nothing for too long.');
      controller.abort(silence);
    }, ms);
  };
  try {
    const response = await api.open('job-events', {
      headers: { Accept: 'text/event-stream', ...(lastEventId !== null && { 'Last-Event-ID': lastEventId }) },
      signal: controller.signal,
      onAttempt: () => expectBytesWithin(FIRST_BYTES_TIMEOUT_MS),
    });
    await readBody(response, lastEventId, () => expectBytesWithin(SILENCE_TIMEOUT_MS), handlers);
  } catch (error) {
    throw silence ?? error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    controller.abort();
  }
}

async function readBody(
  response: Response,
  lastEventId: string | null,
  onBytes: () => void,
  handlers: StreamHandlers,
): Promise<void> {
  const reader = response.body?.getReader();
  if (!reader) throw new ConnectionError('This fetch function does not stream.');
  const decoder = new TextDecoder();
  const parser = createSseParser(lastEventId ?? '');
  let isOpen = false;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    onBytes();
    if (!isOpen) handlers.onOpen();
    isOpen = true;
    for (const block of parser.push(decoder.decode(value, { stream: true }))) {
      const event = block.event && parseEvent(block.event.type, block.event.data, block.lastEventId);
      if (event) handlers.onEvent(event);
      if (block.lastEventId !== '' && block.lastEventId !== SNAPSHOT_ID) handlers.onLastEventId(block.lastEventId);
    }
  }
}

/** The cast for events: the OpenAPI document defines the data of each type. Null when the data is not JSON. */
function parseEvent(type: string, data: string, id: string): JobEvent | null {
  try {
    return { type, id: id === '' || id === SNAPSHOT_ID ? null : id, ...JSON.parse(data) } as JobEvent;
  } catch {
    return null;
  }
}
