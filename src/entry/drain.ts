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
/** Turns of the event loop without a new connection, until the backlog counts as empty; and how long that may take. */
const BACKLOG_TURNS = 3;
const BACKLOG_MAX_MS = 1_000;

/** `quietChecks`: in how many checks in a row nothing had arrived. In time, a busy process would not see what waits unread. */
type Connection = { unanswered: number; bytesRead: number; quietChecks: number };

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
    connections.set(socket, { unanswered: 0, bytesRead: 0, quietChecks: 0 });
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
      connection.quietChecks = 0;
    });
  });

  return async () => {
    const startedAt = performance.now();
    isDraining = true;
    for (const response of responses) announceEnd(response);
    const isUsed = connections.size > 0 || startedAt - connectedAt < lastCallMs;
    if (isUsed) await sleep(lastCallMs);
    await emptyBacklog(server);
    // The method of http.Server would close idle connections now, also those on which a request is arriving.
    const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()));
    // After the turn's reads: before them, a connection may look quiet that is not.
    const check = setInterval(() => setImmediate(closeQuiet, connections, quietMs / CHECK_MS), CHECK_MS);
    const cut = setTimeout(() => server.closeAllConnections(), ANSWER_GRACE_MS - (performance.now() - startedAt));
    await closed;
    clearInterval(check);
    clearTimeout(cut);
  };
}

/**
 * To close the port resets the connections that the system has accepted for us. With a backlog of none it accepts at most one
 * more; the others are refused once the port is closed, and their clients know that nothing was sent.
 */
async function emptyBacklog(server: Server): Promise<void> {
  const { promise: justAccepted, resolve } = Promise.withResolvers<void>();
  const end = performance.now() + BACKLOG_MAX_MS;
  let quietTurns = 0;
  const accept = () => {
    quietTurns = 0;
    // The one that there was room for: nothing waits at this moment.
    if (performance.now() >= end) resolve();
  };
  server.on('connection', accept);
  // Node has no public call for it. Where this one is missing, what is waiting is accepted all the same.
  Object(Reflect.get(server, '_handle')).listen?.(0);
  const untilQuiet = async () => {
    // One connection is accepted in each turn.
    for (; quietTurns < BACKLOG_TURNS && performance.now() < end + BACKLOG_MAX_MS; quietTurns += 1) await nextTurn();
  };
  await Promise.race([justAccepted, untilQuiet()]);
  server.off('connection', accept);
}

/** The connection closes once this response is sent, and the client sends its next request elsewhere. */
function announceEnd(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}

function closeQuiet(connections: Map<Socket, Connection>, checks: number): void {
  for (const [socket, connection] of connections) {
    if (connection.unanswered > 0) continue;
    const isQuiet = socket.bytesRead === connection.bytesRead;
    connection.bytesRead = socket.bytesRead;
    connection.quietChecks = isQuiet ? connection.quietChecks + 1 : 0;
    if (connection.quietChecks >= checks) socket.destroySoon();
  }
}
