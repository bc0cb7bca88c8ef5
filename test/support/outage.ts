import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type pg from 'pg';

/** A way to a database that can be closed and opened, and so looks to its users as if the database were restarted. */
export type Outage = AsyncDisposable & {
  /** The same database by that way. */
  url: string;
  /** From now on there is no connection, and no new one. */
  begin(): void;
  end(): void;
  /** How many have tried in vain. */
  readonly refused: number;
};

export async function createOutage(url: string): Promise<Outage> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let isAway = false;
  let refused = 0;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  };
  const server = createServer((near) => {
    keep(near);
    if (isAway) {
      refused += 1;
      near.resetAndDestroy();
      return;
    }
    const far = connect(Number(target.port), target.hostname);
    keep(far);
    near.pipe(far).pipe(near);
    near.once('close', () => far.destroy());
    far.once('close', () => near.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const near = new URL(url);
  near.host = `127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  const begin = () => {
    isAway = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: near.href,
    begin,
    end() {
      isAway = false;
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

/** Ends the sessions of this application's name as an administrator does; returns how many they were. */
export async function cutSessions(owner: pg.Pool, name: string): Promise<number> {
  const sql = `select pg_terminate_backend(pid) from pg_stat_activity
               where datname = current_database() and application_name = $1`;
  return (await owner.query(sql, [name])).rowCount ?? 0;
}
