/** One event. `id` comes back as `Last-Event-ID`; `data` is sent as JSON. */
export type ServerEvent = { id?: string; event: string; data: unknown };

export type EventStream = {
  /** To be returned from the route. */
  response: Response;
  /** Sends an event. False when the stream has ended, also by this very event: it did not fit the buffer. */
  send(event: ServerEvent): boolean;
  /** Tells where a client that comes back goes on, without an event. */
  place(id: string): void;
  /** Ends the stream after what is buffered. Safe to repeat. */
  close(): void;
  /** Resolves when the stream has ended, whoever ended it: the place to unsubscribe. */
  ended: Promise<void>;
};

export type EventStreamOptions = {
  /** End the stream when they abort: the client went, the server stops, the token expired. */
  signals: AbortSignal[];
  /** A comment this often keeps proxies from taking a quiet stream for a dead one. */
  heartbeatMs?: number;
  /** How long a client waits before it comes back. */
  retryMs?: number;
  bufferBytesMax?: number;
};

const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-cache, no-transform',
  // nginx would collect events until a buffer is full.
  'X-Accel-Buffering': 'no',
};

/**
 * Server-sent events to one client. One that reads too slowly is let go once `bufferBytesMax` wait for it, so that it
 * comes back with `Last-Event-ID` and memory stays bounded.
 */
export function createEventStream(options: EventStreamOptions): EventStream {
  const { signals, heartbeatMs = 15_000, retryMs = 3_000, bufferBytesMax = 64 * 1024 } = options;
  const { promise: ended, resolve: tellEnded } = Promise.withResolvers<void>();
  const encoder = new TextEncoder();
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  const release = () => {
    controller = undefined;
    clearInterval(heartbeat);
    for (const signal of signals) signal.removeEventListener('abort', close);
    tellEnded();
  };
  const close = () => {
    const open = controller;
    if (open === undefined) return;
    release();
    open.close();
  };
  const write = (text: string): boolean => {
    if (controller === undefined) return false;
    const bytes = encoder.encode(text);
    const room = controller.desiredSize ?? 0;
    // An event larger than the buffer still goes out to a client that has read everything else.
    if (bytes.byteLength > room && room < bufferBytesMax) {
      close();
      return false;
    }
    controller.enqueue(bytes);
    return true;
  };

  const body = new ReadableStream<Uint8Array>(
    {
      start: (started) => {
        controller = started;
      },
      cancel: release,
    },
    new ByteLengthQueuingStrategy({ highWaterMark: bufferBytesMax }),
  );
  const heartbeat = setInterval(() => write(': \n\n'), heartbeatMs);
  write(`retry: ${retryMs}\n\n`);
  for (const signal of signals) {
    signal.addEventListener('abort', close, { once: true });
    if (signal.aborted) close();
  }
  return {
    response: new Response(body, { headers: HEADERS }),
    send: (event) => write(frame(event)),
    place: (id) => void write(`id: ${oneLine(id)}\n\n`),
    close,
    ended,
  };
}

/** The id that a returning client has seen last; null where it sent none that could be ours. */
export function lastEventId(header: string | undefined): string | null {
  return /^[\w.-]{1,64}$/.exec(header?.trim() ?? '')?.[0] ?? null;
}

function frame({ id, event, data }: ServerEvent): string {
  const lines = [...(id === undefined ? [] : [`id: ${oneLine(id)}`]), `event: ${oneLine(event)}`];
  // JSON has no raw line breaks, so the data is always one line.
  return `${[...lines, `data: ${JSON.stringify(data)}`].join('\n')}\n\n`;
}

function oneLine(text: string): string {
  return text.replace(/[\r\n\0]/g, '');
}
