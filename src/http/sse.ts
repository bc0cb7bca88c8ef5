/** One event. Clients send its `id` back as `Last-Event-ID`; `data` is sent as JSON. */
export type ServerEvent = { id?: string; event: string; data: unknown };

export type EventStream = {
  /** The response that the route returns. */
  response: Response;
  /** Sends an event. False if the stream has ended, also if it ended because this event did not fit the buffer. */
  send(event: ServerEvent): boolean;
  /** Sends an id without an event: a client that reconnects resumes after this id. */
  sendId(id: string): void;
  /** Ends the stream after what is buffered. Safe to repeat. */
  close(): void;
  /** Resolves when the stream has ended for any reason. Unsubscribe then. */
  ended: Promise<void>;
};

export type EventStreamOptions = {
  /** The stream ends when one of them aborts: the client disconnected, the server stops, or the token expired. */
  signals: AbortSignal[];
  /** How often a comment is sent, so that proxies do not close a quiet stream. */
  heartbeatMs?: number;
  /** How long a client waits before it reconnects. */
  retryMs?: number;
  bufferBytesMax?: number;
};

export const EVENT_STREAM_HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-cache, no-transform',
  // Otherwise nginx holds events back until a buffer is full.
  'X-Accel-Buffering': 'no',
};

/**
 * Sends server-sent events to one client. A client that reads too slowly is disconnected when `bufferBytesMax` bytes are
 * buffered, so that memory stays bounded; it reconnects with `Last-Event-ID`.
 */
export function createEventStream(options: EventStreamOptions): EventStream {
  const { signals, heartbeatMs = 15_000, retryMs = 3_000, bufferBytesMax = 64 * 1024 } = options;
  const { promise: ended, resolve: resolveEnded } = Promise.withResolvers<void>();
  const encoder = new TextEncoder();
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  const release = () => {
    controller = undefined;
    clearInterval(heartbeat);
    for (const signal of signals) signal.removeEventListener('abort', close);
    resolveEnded();
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
    const freeBytes = controller.desiredSize ?? 0;
    // An event larger than the buffer still goes out to a client that has read everything else.
    if (bytes.byteLength > freeBytes && freeBytes < bufferBytesMax) {
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
    response: new Response(body, { headers: EVENT_STREAM_HEADERS }),
    send: (event) => write(frame(event)),
    sendId: (id) => void write(`id: ${oneLine(id)}\n\n`),
    close,
    ended,
  };
}

/** Returns the `Last-Event-ID` of a client that resumes; null if it is missing or malformed. */
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
