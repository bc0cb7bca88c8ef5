/** The account's event stream over fetch, which can carry a token where EventSource cannot. */

import { ConnectionError } from '../http/errors.ts';
import type { Api } from '../session/api.ts';
import type { JobEvent } from '../types.ts';
import { createSseParser } from './sse.ts';

/** The server's first words come at once; without them something between us holds the stream back. */
const FIRST_WORD_MS = 5_000;
/** Heartbeats come every 15 s: two missed, and the connection is dead. */
const SILENCE_MS = 35_000;

/** The id of how things stood when the stream began: whoever is cut off in the middle of that begins again. */
const BEGINNING = 'beginning';

export type StreamHandlers = {
  /** The first words have come. */
  onOpen(): void;
  onEvent(event: JobEvent): void;
  /** Where the stream goes on after what has come. */
  onPlace(lastId: string): void;
};

/** Reads until the stream ends; throws when it breaks off, falls silent or never begins. */
export async function readStream(
  api: Api,
  { lastId, signal, ...handlers }: StreamHandlers & { lastId: string | null; signal: AbortSignal },
): Promise<void> {
  const ending = new AbortController();
  const end = () => ending.abort(signal.reason);
  signal.addEventListener('abort', end);
  if (signal.aborted) end();
  let watch: ReturnType<typeof setTimeout> | undefined;
  const expectWithin = (ms: number) => {
    clearTimeout(watch);
    watch = setTimeout(() => ending.abort(new ConnectionError('The event stream fell silent.')), ms);
  };
  try {
    const response = await api.open('job-events', {
      headers: { Accept: 'text/event-stream', ...(lastId !== null && { 'Last-Event-ID': lastId }) },
      signal: ending.signal,
      onTry: () => expectWithin(FIRST_WORD_MS),
    });
    await readBody(response, lastId, () => expectWithin(SILENCE_MS), handlers);
  } finally {
    clearTimeout(watch);
    signal.removeEventListener('abort', end);
    ending.abort();
  }
}

async function readBody(
  response: Response,
  lastId: string | null,
  onBytes: () => void,
  handlers: StreamHandlers,
): Promise<void> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  const parser = createSseParser(lastId ?? '');
  let isOpen = false;
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done) return;
    onBytes();
    if (!isOpen) handlers.onOpen();
    isOpen = true;
    for (const block of parser.take(decoder.decode(value, { stream: true }))) {
      const event = block.event && eventOf(block.event.type, block.event.data, block.lastId);
      if (event) handlers.onEvent(event);
      if (block.lastId !== '' && block.lastId !== BEGINNING) handlers.onPlace(block.lastId);
    }
  }
}

/** The one place that trusts the wire: what the OpenAPI document says of a type's data. Null for what is no JSON. */
function eventOf(type: string, data: string, id: string): JobEvent | null {
  try {
    return { type, id: id === '' || id === BEGINNING ? null : id, ...JSON.parse(data) } as JobEvent;
  } catch {
    return null;
  }
}
