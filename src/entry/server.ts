import type { Server } from 'node:http';
import { serve } from '@hono/node-server';
import { getConnInfo } from '@hono/node-server/conninfo';
import { localUrlOf } from '../app/callback-url.ts';
import { clientIp } from '../http/client-ip.ts';
import { StartupError } from '../kernel/startup-error.ts';
import { assemble } from './assemble.ts';
import type { Boot } from './boot.ts';
import { closeSilentConnections } from './silent-connections.ts';
import type { Work } from './work.ts';

export type HttpServer = {
  /** The URL to show to users. */
  url: string;
  /** Takes no new connections and resolves once running requests are answered, in bounded time. */
  stop(): Promise<void>;
};

/** Less than the ten seconds after which Docker kills the process. */
const ANSWER_GRACE_MS = 7_000;
const IDLE_CHECK_MS = 50;

/** Serves the API and the pages on a port. `work` is null if the worker is another process. */
export async function startServer(boot: Boot, work: Work | null): Promise<HttpServer> {
  const { config, log } = boot;
  const { server: settings } = config.settings;
  const api = assemble(boot, {
    ipOf: (c) => clientIp(getConnInfo(c).remote.address, c.req.header('X-Forwarded-For'), settings.trustedProxyHops),
    isWorking: () => work?.isWorking() ?? null,
  });
  const { server, port } = await listenOn(api.fetch, settings.port, settings.host);
  const host = ['0.0.0.0', '127.0.0.1', '::', '::1'].includes(settings.host) ? 'localhost' : settings.host;
  boot.listening.url = localUrlOf({ host: settings.host, port });
  log.debug({ port }, 'listening');
  return {
    url: settings.publicUrl ?? `http://${host}:${port}`,
    stop: () => drain(server),
  };
}

/** Connections with a running answer stay open until it is sent, or until the grace period of slow clients has passed. */
async function drain(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // Clients keep idle connections open for their next request.
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  const cut = setTimeout(() => server.closeAllConnections(), ANSWER_GRACE_MS);
  await closed;
  clearInterval(idle);
  clearTimeout(cut);
}

type Fetch = Parameters<typeof serve>[0]['fetch'];

function listenOn(fetch: Fetch, port: number, hostname: string): Promise<{ server: Server; port: number }> {
  return new Promise((resolve, reject) => {
    // By default, `serve` creates a server of node:http.
    const server = serve({ fetch, port, hostname }, (info) => resolve({ server, port: info.port })) as Server;
    closeSilentConnections(server);
    // Stays on: a later error, such as having no file descriptor for a connection, must not end the server.
    server.on('error', (error: NodeJS.ErrnoException) => reject(describeListenFailure(error, port, hostname)));
  });
}

function describeListenFailure(error: NodeJS.ErrnoException, port: number, hostname: string): Error {
  if (error.code === 'EADDRINUSE') {
    return new StartupError(`Port ${port} is taken. Stop what uses it, or choose another: PORT=${port + 1} npm start`);
  }
  if (error.code === 'EACCES') {
    return new StartupError(`This user may not listen on port ${port}. Choose one above 1023 with PORT.`);
  }
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return new StartupError(`This machine has no IP address ${hostname}. Set HOST to one that it has.`);
  }
  return error;
}
