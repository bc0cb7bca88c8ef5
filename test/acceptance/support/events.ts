/** A reader of server-sent events, as strict as the standard. */
import assert from 'node:assert/strict';
import { send } from './api.ts';
import type { Guest } from './guest.ts';

export type StreamEvent = { id: string; event: string; data: { [name: string]: unknown } };

export type EventReader = AsyncDisposable & {
  headers: Headers;
  /** All events received so far. */
  seen: StreamEvent[];
  /** Comment lines, which keep the connection open. */
  comments: string[];
  /** The value of the last `retry` line, in milliseconds. */
  retryMs: number | undefined;
  /** The first event, already received or still to come, that `matches`. */
  until(matches: (event: StreamEvent) => boolean, limitMs?: number): Promise<StreamEvent>;
  untilComment(limitMs: number): Promise<string>;
  /** Resolves when the server has ended the stream. */
  ended: Promise<void>;
  close(): Promise<void>;
};

export type Listening = { lastEventId?: string; headers?: Record<string, string> };

/** Opens the stream of a guest. */
export async function listen(guest: Guest, { lastEventId, headers = {} }: Listening = {}): Promise<EventReader> {
  const closing = new AbortController();
  const resume: Record<string, string> = lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId };
  const response = await send(guest.base, 'GET', 'job-events', {
    token: guest.token,
    headers: { Accept: 'text/event-stream', ...resume, ...headers },
    signal: closing.signal,
  });
  assert.equal(response.status, 200);
  assert.ok(response.body);
  const reads = new EventTarget();
  const reader: EventReader = {
    headers: response.headers,
    seen: [],
    comments: [],
    retryMs: undefined,
    until: (matches, limitMs) => waitFor(() => reader.seen.find(matches), 'matching event', limitMs),
    untilComment: (limitMs) => waitFor(() => reader.comments[0], 'comment', limitMs),
    ended: readAll(response.body, {
      take: (block) => takeBlock(reader, block),
      onRead: () => reads.dispatchEvent(new Event('read')),
      signal: closing.signal,
    }),
    async close() {
      closing.abort();
      await reader.ended;
    },
    [Symbol.asyncDispose]: () => reader.close(),
  };

  function waitFor<T>(find: () => T | undefined, what: string, limitMs = 90_000): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reads.removeEventListener('read', check);
        reject(new Error(`no ${what} within ${limitMs} ms, but ${JSON.stringify(reader.seen)}`));
      }, limitMs);
      const check = () => {
        const found = find();
        if (found === undefined) return;
        clearTimeout(timer);
        reads.removeEventListener('read', check);
        resolve(found);
      };
      reads.addEventListener('read', check);
      check();
    });
  }

  reader.ended.catch(() => {});
  return reader;
}

type BlockHandler = { take(block: string): void; onRead(): void; signal: AbortSignal };

async function readAll(body: ReadableStream<Uint8Array>, { take, onRead, signal }: BlockHandler): Promise<void> {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const part of body) {
      text += decoder.decode(part, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) take(block);
      onRead();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Parses a block of lines and records its event or comment; fails on a field that the standard does not know. */
function takeBlock(reader: EventReader, block: string): void {
  const fields: Record<string, string> = {};
  for (const line of block.split('\n')) {
    if (line.startsWith(':')) {
      reader.comments.push(line);
      continue;
    }
    const [, name = '', value = ''] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
    assert.ok(['id', 'event', 'data', 'retry'].includes(name), `an unknown field: ${JSON.stringify(line)}`);
    fields[name] = value;
  }
  if (fields.retry !== undefined) reader.retryMs = Number(fields.retry);
  if (fields.data === undefined) return;
  assert.ok(fields.id !== undefined && fields.event !== undefined, block);
  reader.seen.push({ id: fields.id, event: fields.event, data: JSON.parse(fields.data) });
}
