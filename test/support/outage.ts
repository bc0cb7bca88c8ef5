import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type pg from 'pg';

/** A proxy in front of a database that can be closed and opened: to clients this looks like a restarted database. */
export type Outage = AsyncDisposable & {
  /** The URL of the database through the proxy. */
  url: string;
  /** Ends all connections and refuses new ones until `end`. */
  begin(): void;
  end(): void;
  /** How many connections were refused. */
  readonly refused: number;
};

export async function createOutage(url: string): Promise<Outage> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let isDown = false;
  let refused = 0;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    keep(client);
    if (isDown) {
      refused += 1;
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(Number(target.port), target.hostname);
    keep(upstream);
    client.pipe(upstream).pipe(client);
    client.once('close', () => upstream.destroy());
    upstream.once('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const proxyUrl = new URL(url);
  proxyUrl.host = `127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  const begin = () => {
    isDown = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: proxyUrl.href,
    begin,
    end() {
      isDown = false;
    },
    get refused() {
      return refused;
    },
    async [Symbol.asyncDispose]() {
      begin();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Ends the sessions with this application name, as an administrator does; returns their number. */
export async function cutSessions(owner: pg.Pool, name: string): Promise<number> {
  const sql = `select pg_terminate_backend(pid) from pg_stat_activity
               where datname = current_database() and application_name = $1`;
  return (await owner.query(sql, [name])).rowCount ?? 0;
}
