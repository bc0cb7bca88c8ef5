import type { Server } from 'node:http';
import { serve } from '@hono/node-server';
import { getConnInfo } from '@hono/node-server/conninfo';
import { localUrlOf } from '../app/callback-url.ts';
import { clientIp } from '../http/client-ip.ts';
import { StartupError } from '../kernel/startup-error.ts';
import { assemble } from './assemble.ts';
import type { Boot } from './boot.ts';
import { prepareDrain } from './drain.ts';
import { closeSilentConnections } from './silent-connections.ts';
import type { Work } from './work.ts';

export type HttpServer = {
  /** The URL to show to users. */
  url: string;
  /** Resolves once the port is closed and the requests that had been sent are answered, in bounded time. */
  stop(): Promise<void>;
};

/** Load balancers keep idle connections for 60 s: the server must not be the first to close one. */
const KEEP_ALIVE_MS = 75_000;
/** Longer: it may begin while a connection is idle. */
const HEADERS_TIMEOUT_MS = 80_000;

/** Serves the API and the pages on a port. `work` is null if the worker is another process. */
export async function startServer(boot: Boot, work: Work | null): Promise<HttpServer> {
  const { config, log } = boot;
  const { server: settings } = config.settings;
  const api = assemble(boot, {
    ipOf: (c) => clientIp(getConnInfo(c).remote.address, c.req.header('X-Forwarded-For'), settings.trustedProxyHops),
    isWorking: () => work?.isWorking() ?? null,
  });
  const { port, drain } = await listenOn(api.fetch, settings.port, settings.host);
  const host = ['0.0.0.0', '127.0.0.1', '::', '::1'].includes(settings.host) ? 'localhost' : settings.host;
  boot.listening.url = localUrlOf({ host: settings.host, port });
  log.debug({ port }, 'listening');
  return {
    url: settings.publicUrl ?? `http://${host}:${port}`,
    stop: drain,
  };
}

type Fetch = Parameters<typeof serve>[0]['fetch'];

function listenOn(fetch: Fetch, port: number, hostname: string): Promise<{ port: number; drain: () => Promise<void> }> {
  const serverOptions = { keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: HEADERS_TIMEOUT_MS };
  return new Promise((resolve, reject) => {
    // By default, `serve` creates a server of node:http.
    const server = serve({ fetch, port, hostname, serverOptions }, (info) =>
      resolve({ port: info.port, drain }),
    ) as Server;
    const drain = prepareDrain(server);
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
