import type { Server } from 'node:http';
import { serve } from '@hono/node-server';
import { StartupError } from '../kernel/startup-error.ts';
import { prepareDrain } from './drain.ts';
import { closeSilentConnections } from './silent-connections.ts';

/** Load balancers keep idle connections for 60 s: the server must not be the first to close one. */
const KEEP_ALIVE_MS = 75_000;
/** Longer: it may begin while a connection is idle. */
const HEADERS_TIMEOUT_MS = 80_000;

type Fetch = Parameters<typeof serve>[0]['fetch'];

/** Listens until the drain. A port that cannot be used is a StartupError that names `variable`. */
export function listenOn(
  fetch: Fetch,
  { port, host: hostname, variable }: { port: number; host: string; variable: 'PORT' | 'METRICS_PORT' },
): Promise<{ port: number; drain: () => Promise<void> }> {
  const serverOptions = { keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: HEADERS_TIMEOUT_MS };
  return new Promise((resolve, reject) => {
    // By default, `serve` creates a server of node:http.
    const server = serve({ fetch, port, hostname, serverOptions }, (info) =>
      resolve({ port: info.port, drain }),
    ) as Server;
    const drain = prepareDrain(server);
    closeSilentConnections(server);
    // Stays on: a later error, such as having no file descriptor for a connection, must not end the server.
    server.on('error', (error: NodeJS.ErrnoException) =>
      reject(describeListenFailure(error, { port, host: hostname, variable })),
    );
  });
}

function describeListenFailure(
  error: NodeJS.ErrnoException,
  { port, host, variable }: { port: number; host: string; variable: string },
): Error {
  if (error.code === 'EADDRINUSE') {
    const example = variable === 'PORT' ? `PORT=${port + 1} npm start` : `${variable}=${port + 1}`;
    return new StartupError(`Port ${port} is taken. Stop what uses it, or choose another: ${example}`);
  }
  if (error.code === 'EACCES') {
    return new StartupError(`This user may not listen on port ${port}. Choose one above 1023 with ${variable}.`);
  }
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return new StartupError(`This machine has no IP address ${host}. Set HOST to one that it has.`);
  }
  return error;
}
