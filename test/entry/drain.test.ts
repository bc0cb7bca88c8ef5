import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { type DrainTimes, prepareDrain } from '../../src/entry/drain.ts';
import { until } from '../media/until.ts';

/** A server whose answers wait for the test, and raw connections to it. */
async function createWorld(t: TestContext, times: Partial<DrainTimes> = {}) {
  const waiting: ServerResponse[] = [];
  const server = createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
    // So that more clients connect while the thread is busy.
    for (const end = performance.now() + 2; request.url === '/busy' && performance.now() < end; );
    if (request.url !== '/later') response.end('now');
    else waiting.push(response);
  });
  const drain = prepareDrain(server, times);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sockets: Socket[] = [];
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
  });
  return {
    waiting,
    drain,
    port,
    isOpen: async () => {
      const socket = connect(port, '127.0.0.1');
      return once(socket, 'connect').then(
        () => socket.destroy() !== undefined,
        () => false,
      );
    },
    async open() {
      const socket = connect(port, '127.0.0.1');
      sockets.push(socket);
      await once(socket, 'connect');
      const state = { text: '', hasEnded: false, isCut: false, send: (text: string) => void socket.write(text) };
      socket.on('data', (bytes) => {
        state.text += bytes;
      });
      socket.on('end', () => {
        state.hasEnded = true;
      });
      socket.on('error', () => {
        state.isCut = true;
      });
      return state;
    },
  };
}

/** Clients in a thread of their own, each with a new connection for each request; says when they have begun, and how they fared. */
const CLIENTS = `
  const { parentPort, workerData: { port, count } } = require('node:worker_threads');
  const http = require('node:http');
  const outcomes = { answered: 0 };
  let isStopped = false;
  const ask = () => new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', port, path: '/busy', agent: false }, (response) => {
      response.resume().on('end', () => resolve('answered')).on('error', (error) => resolve(error.code));
    });
    request.on('error', (error) => resolve(error.code));
  });
  const client = async () => {
    while (!isStopped) {
      const outcome = await ask();
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      if (outcomes.answered === count) parentPort.postMessage('begun');
    }
  };
  parentPort.once('message', () => { isStopped = true; });
  Promise.all(Array.from({ length: count }, client)).then(() => parentPort.postMessage(outcomes));
`;

const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`;

describe('a server that shuts down', () => {
  it('answers a running request, and says that its connection ends', async (t) => {
    const { open, drain, waiting } = await createWorld(t);
    const connection = await open();
    connection.send(request('/later'));
    await until(() => waiting.length === 1);
    const drained = drain();
    waiting[0]?.end('late');
    await drained;
    await until(() => connection.hasEnded);
    assert.match(connection.text, /^HTTP\/1\.1 200[\s\S]*connection: close[\s\S]*late/i);
  });

  it('still answers new connections and used ones for a second, with Connection: close, and then closes its port', async (t) => {
    const { open, drain, isOpen } = await createWorld(t, { lastCallMs: 3_000 });
    const used = await open();
    used.send(request('/now'));
    await until(() => used.text.includes('now'));
    assert.doesNotMatch(used.text, /connection: close/i);
    const drained = drain();
    const fresh = await open();
    for (const connection of [used, fresh]) connection.send(request('/now'));
    await until(() => fresh.hasEnded && used.hasEnded);
    for (const { text } of [used, fresh]) assert.match(text, /connection: close[\s\S]*now/i);
    await drained;
    assert.equal(await isOpen(), false);
  });

  it('answers a request of which a part had arrived when the port closed, and ends connections on which nothing comes', async (t) => {
    const { open, drain, isOpen } = await createWorld(t, { lastCallMs: 50, quietMs: 3_000 });
    const [quiet, slow] = [await open(), await open()];
    quiet.send(request('/now'));
    await until(() => quiet.text.includes('now'));
    const drained = drain();
    slow.send(request('/now').slice(0, 20));
    await until(async () => !(await isOpen()));
    slow.send(request('/now').slice(20));
    await until(() => slow.text.includes('now'));
    assert.equal(quiet.hasEnded, false);
    await drained;
    await until(() => quiet.hasEnded);
    assert.deepEqual([quiet.isCut, slow.isCut], [false, false]);
  });

  it('resets at most one connection when its port closes, however many clients connect just then', async (t) => {
    const { drain, port } = await createWorld(t, { lastCallMs: 300 });
    const clients = new Worker(CLIENTS, { eval: true, workerData: { port, count: 40 } });
    t.after(() => clients.terminate());
    await once(clients, 'message');
    await drain();
    clients.postMessage('stop');
    const [outcomes] = await once(clients, 'message');
    assert.ok(outcomes.answered > 40, JSON.stringify(outcomes));
    // The system may accept one more between the last that we accepted and the end of the port.
    assert.ok((outcomes.ECONNRESET ?? 0) <= 1, JSON.stringify(outcomes));
  });

  it('ends at once if nothing has been connected', async (t) => {
    const { drain } = await createWorld(t);
    const began = performance.now();
    await drain();
    assert.ok(performance.now() - began < 900);
  });
});
