import type { Guest } from './guest.ts';

export type ReceivedEvent = { id: number; event: string; data: Record<string, unknown> };

/** Does what an app's EventSource does: reconnects with the last event id whenever the stream ends. */
export type TestEventSource = AsyncDisposable & {
  /** All received events, in order. */
  events: ReceivedEvent[];
  /** How often a stream was opened. */
  readonly opened: number;
};

const RETRY_MS = 50;

export function openEventSource(guest: Guest): TestEventSource {
  const events: ReceivedEvent[] = [];
  const closing = new AbortController();
  let opened = 0;

  async function read(): Promise<void> {
    const last = events.at(-1);
    const response = await fetch(guest.url('job-events'), {
      headers: { ...guest.headers, ...(last ? { 'Last-Event-ID': String(last.id) } : {}) },
      signal: closing.signal,
    });
    if (response.status !== 200 || !response.body) throw new Error(`no stream: ${response.status}`);
    opened += 1;
    let text = '';
    for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
      text += piece;
      const frames = text.split('\n\n');
      text = frames.pop() ?? '';
      for (const frame of frames) events.push(...parse(frame));
    }
  }
  const reading = (async () => {
    while (!closing.signal.aborted) {
      await read().catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  })();
  return {
    events,
    get opened() {
      return opened;
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await reading;
    },
  };
}

/** The event of a frame with an id and data; comments, the retry line and a stream's start position are not events. */
function parse(frame: string): ReceivedEvent[] {
  const fields = new Map(
    frame.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  );
  const id = fields.get('id');
  if (id === undefined || !fields.has('data')) return [];
  return [{ id: Number(id), event: fields.get('event') ?? '', data: JSON.parse(fields.get('data') ?? '{}') }];
}
