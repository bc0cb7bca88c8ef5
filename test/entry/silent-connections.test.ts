import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import { createAdaptorServer } from '@hono/node-server';
import { closeSilentConnections } from '../../src/entry/silent-connections.ts';
import { createEventStream } from '../../src/http/sse.ts';
import { until } from '../media/until.ts';

test('a client that does not read its stream is disconnected, also after the stream was ended for it', async () => {
  const filled = Promise.withResolvers<void>();
  const fetch = () => {
    const stream = createEventStream({ signals: [] });
    // Until neither the kernel nor the stream takes more: then the stream has ended itself.
    const fill = () => {
      if (stream.send({ event: 'processing', data: 'x'.repeat(30_000) })) setImmediate(fill);
      else filled.resolve();
    };
    fill();
    return stream.response;
  };
  const server = createAdaptorServer({ fetch }) as Server;
  closeSilentConnections(server, 100);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => {});
  client.pause();
  client.write('GET /events HTTP/1.1\r\nHost: test\r\n\r\n');
  await filled.promise;
  const connections = () =>
    new Promise<number>((resolve, reject) =>
      server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    );
  await until(async () => (await connections()) === 0);
  client.destroy();
  server.close();
});
