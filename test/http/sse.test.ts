import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get as httpGet, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { createAdaptorServer } from '@hono/node-server';
import fc from 'fast-check';
import { cors } from '../../src/http/cors.ts';
import { cancelUnsentBody } from '../../src/http/head.ts';
import { serveMedia } from '../../src/http/serve-media.ts';
import { createEventStream, type EventStream, type EventStreamOptions, lastEventId } from '../../src/http/sse.ts';
import { createApp, recordingLog } from './harness.ts';

function open(options: Partial<EventStreamOptions> = {}) {
  const stream = createEventStream({ signals: [], ...options });
  const reader = stream.response.body?.pipeThrough(new TextDecoderStream()).getReader();
  assert.ok(reader);
  return { stream, reader, next: async () => (await reader.read()).value };
}

describe('an event stream', () => {
  test('has headers that prevent buffering, and begins with the delay before a reconnection', async () => {
    const { stream, next } = open({ retryMs: 1234 });
    assert.equal(stream.response.status, 200);
    assert.equal(stream.response.headers.get('Content-Type'), 'text/event-stream; charset=utf-8');
    assert.match(stream.response.headers.get('Cache-Control') ?? '', /no-cache/);
    assert.equal(stream.response.headers.get('X-Accel-Buffering'), 'no');
    assert.equal(await next(), 'retry: 1234\n\n');
    stream.close();
  });

  test('sends events with their id, name and data', async () => {
    const { stream, next } = open();
    await next();
    assert.ok(stream.send({ id: '41', event: 'processing', data: { progress: 40, note: 'a\nb' } }));
    assert.equal(await next(), 'id: 41\nevent: processing\ndata: {"progress":40,"note":"a\\nb"}\n\n');
    assert.ok(stream.send({ event: 'credits', data: null }));
    assert.equal(await next(), 'event: credits\ndata: null\n\n');
    stream.sendId('42');
    assert.equal(await next(), 'id: 42\n\n');
    stream.close();
  });

  test('keeps every value within its line', async () => {
    const line = fc.string({ unit: 'binary' });
    await fc.assert(
      fc.asyncProperty(line, line, line, async (id, event, data) => {
        const { stream, next } = open();
        await next();
        stream.send({ id, event, data });
        const frame = (await next()) ?? '';
        assert.match(frame, /^id: [^\r\n]*\nevent: [^\r\n]*\ndata: [^\r\n]*\n\n$/);
        stream.close();
      }),
    );
  });

  test('sends comments as heartbeats while there are no events', async () => {
    const { stream, next } = open({ heartbeatMs: 1 });
    await next();
    for (let beat = 0; beat < 3; beat++) assert.equal(await next(), ': \n\n');
    stream.close();
  });

  test('delivers what was sent before it was closed, resolves `ended`, and accepts nothing more', async () => {
    const { stream, reader } = open();
    stream.send({ event: 'completed', data: {} });
    stream.close();
    stream.close();
    await stream.ended;
    assert.equal(stream.send({ event: 'late', data: {} }), false);
    const seen: string[] = [];
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) seen.push(chunk.value);
    assert.equal(seen.join(''), 'retry: 3000\n\nevent: completed\ndata: {}\n\n');
  });

  test('ends when any of its signals aborts, also when one is already aborted', async () => {
    for (const which of [0, 1]) {
      const controllers = [new AbortController(), new AbortController()];
      const { stream } = open({ signals: controllers.map(({ signal }) => signal) });
      controllers[which]?.abort();
      await stream.ended;
      assert.equal(stream.send({ event: 'late', data: {} }), false);
    }
    await open({ signals: [AbortSignal.abort()] }).stream.ended;
  });

  test('ends when the client cancels the body', async () => {
    const stream = createEventStream({ signals: [] });
    await stream.response.body?.cancel();
    await stream.ended;
    assert.equal(stream.send({ event: 'late', data: {} }), false);
  });

  test('ends for a client that does not read, once its buffer is full', async () => {
    const stream = createEventStream({ signals: [], bufferBytesMax: 1000 });
    let sent = 0;
    while (stream.send({ id: String(sent), event: 'processing', data: { progress: sent } })) sent++;
    assert.ok(sent > 5 && sent < 30, String(sent));
    await stream.ended;
    const waiting = await stream.response.text();
    assert.ok(waiting.length <= 1000);
    assert.ok(waiting.includes(`id: ${sent - 1}\n`), 'accepted events are delivered');
    assert.ok(!waiting.includes(`id: ${sent}\n`), 'rejected events are requested again with Last-Event-ID');
  });

  test('continues for a client that reads, for any number of events, and accepts an event larger than its buffer', async () => {
    const { stream, next } = open({ bufferBytesMax: 1000 });
    await next();
    for (let id = 0; id < 500; id++) {
      assert.ok(stream.send({ id: String(id), event: 'processing', data: 'x'.repeat(id === 250 ? 5000 : 50) }));
      assert.ok((await next())?.startsWith(`id: ${id}\n`));
    }
    stream.close();
  });
});

test('a reconnecting client’s last event id is used only when it has the form of ours', () => {
  assert.equal(lastEventId('4711'), '4711');
  assert.equal(lastEventId(' 0190f3a2-7b1c '), '0190f3a2-7b1c');
  for (const other of [undefined, '', 'a b', 'x'.repeat(65), '1;2', "1'--", '1\n2'])
    assert.equal(lastEventId(other), null);
});

test('a HEAD cancels the body that the route of its GET has made', async () => {
  const app = createApp();
  app.use(cancelUnsentBody);
  const opened = Promise.withResolvers<EventStream>();
  app.get('/events', () => {
    const stream = createEventStream({ signals: [] });
    opened.resolve(stream);
    return stream.response;
  });
  const response = await app.request('/events', { method: 'HEAD' });
  assert.deepEqual([response.status, response.body], [200, null]);
  await (await opened.promise).ended;
});

describe('over a real connection', () => {
  async function listen(app: ReturnType<typeof createApp>) {
    const server = createAdaptorServer({ fetch: app.fetch }) as Server;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const close = async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    };
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
  }
  async function connect(url: string): Promise<IncomingMessage> {
    const [response] = await once(httpGet(url), 'response');
    return response;
  }

  test('events arrive one by one, and the stream ends when the client disconnects', async () => {
    const opened = Promise.withResolvers<EventStream>();
    const app = createApp();
    app.use(cors('*'));
    app.get('/events', (c) => {
      const stream = createEventStream({ signals: [c.req.raw.signal] });
      opened.resolve(stream);
      return stream.response;
    });
    const { url, close } = await listen(app);
    try {
      const response = await connect(`${url}/events`);
      response.setEncoding('utf8');
      const stream = await opened.promise;
      assert.equal(response.headers['access-control-allow-origin'], '*');
      assert.match(String((await once(response, 'data'))[0]), /^retry/);
      for (const id of ['1', '2']) {
        const arrived = once(response, 'data');
        stream.send({ id, event: 'queued', data: {} });
        assert.match(String((await arrived)[0]), new RegExp(`^id: ${id}\n`));
      }
      response.destroy();
      await stream.ended;
    } finally {
      await close();
    }
  });

  test('a client that disconnects in the middle of a video ends its read', async () => {
    const cancelled = Promise.withResolvers<void>();
    const endless = () =>
      new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
        cancel: () => cancelled.resolve(),
      });
    const store = {
      info: async () => ({ bytes: 2 ** 40, etag: '"a"', modifiedAt: new Date(0) }),
      read: async () => endless(),
    };
    const app = createApp();
    app.use(cors('*'));
    app.get('/video', (c) => {
      const clock = { now: () => new Date(0) };
      const options = { store, key: 'videos/a.mp4', clock, expiresAt: new Date(1000), log: recordingLog() };
      return serveMedia({ ...options, request: c.req.raw });
    });
    const { url, close } = await listen(app);
    try {
      const response = await connect(`${url}/video`);
      await once(response, 'data');
      response.destroy();
      await cancelled.promise;
    } finally {
      await close();
    }
  });
});
