/** Ends an HTTP server without cutting requests that are on their way. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { sleep } from '../kernel/sleep.ts';

/** Load balancers see that the server is not ready, and requests that were sent meanwhile still find an open port. */
const LAST_CALL_MS = 1_000;
/** A client that has sent nothing for this long has no request on its way. */
const QUIET_MS = 1_000;
/** Less than the ten seconds after which Docker kills the process. */
const ANSWER_GRACE_MS = 7_000;
const CHECK_MS = 50;

type Connection = { unanswered: number; bytesRead: number; quietSince: number };

export type DrainTimes = { lastCallMs: number; quietMs: number };

/** Call before the server has connections. The result ends it, in bounded time. */
export function prepareDrain(server: Server, times: Partial<DrainTimes> = {}): () => Promise<void> {
  const { lastCallMs = LAST_CALL_MS, quietMs = QUIET_MS } = times;
  const connections = new Map<Socket, Connection>();
  const responses = new Set<ServerResponse>();
  let isDraining = false;
  let connectedAt = Number.NEGATIVE_INFINITY;

  server.on('connection', (socket: Socket) => {
    connectedAt = performance.now();
    connections.set(socket, { unanswered: 0, bytesRead: 0, quietSince: connectedAt });
    socket.once('close', () => connections.delete(socket));
  });
  // Before the application's listener, which may respond at once.
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    const connection = connections.get(socket);
    if (isDraining) announceEnd(response);
    responses.add(response);
    if (connection) connection.unanswered += 1;
    response.once('close', () => {
      responses.delete(response);
      if (!connection) return;
      connection.unanswered -= 1;
      connection.bytesRead = socket.bytesRead;
      connection.quietSince = performance.now();
    });
  });

  return async () => {
    const startedAt = performance.now();
    isDraining = true;
    for (const response of responses) announceEnd(response);
    const isUsed = connections.size > 0 || startedAt - connectedAt < lastCallMs;
    if (isUsed) await sleep(lastCallMs);
    // After the connections that the system has accepted already: to close the port resets them.
    await nextTurn();
    // The method of http.Server would close idle connections now, also those on which a request is arriving.
    const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()));
    const check = setInterval(() => closeQuiet(connections, quietMs), CHECK_MS);
    const cut = setTimeout(() => server.closeAllConnections(), ANSWER_GRACE_MS - (performance.now() - startedAt));
    await closed;
    clearInterval(check);
    clearTimeout(cut);
  };
}

/** The connection closes once this response is sent, and the client sends its next request elsewhere. */
function announceEnd(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}

function closeQuiet(connections: Map<Socket, Connection>, quietMs: number): void {
  const now = performance.now();
  for (const [socket, connection] of connections) {
    if (connection.unanswered > 0) continue;
    if (socket.bytesRead !== connection.bytesRead) {
      connection.bytesRead = socket.bytesRead;
      connection.quietSince = now;
    }
    if (now - connection.quietSince >= quietMs) socket.destroySoon();
  }
}
