import { once } from 'node:events';
import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import type { SimulatorEnv } from './drop-connection.ts';

export type Served = { url: string; close(): Promise<void> };

/** Serves a simulator on a free port of this machine. `close` also closes the open connections. */
export async function serveSimulator(app: Hono<SimulatorEnv>): Promise<Served> {
  const server = createServer(getRequestListener((request, env) => app.fetch(request, env)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the simulator has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
