/** A wire to the database that can be cut. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export type Wire = AsyncDisposable & {
  /** The database by way of this wire. */
  url: string;
  /** Ends every connection and takes no more. */
  cut(): void;
  /** Takes bytes and passes nothing on: nobody is told that the other side is gone. */
  freeze(): void;
  mend(): void;
};

export async function wireTo(databaseUrl: string): Promise<Wire> {
  const far = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let state: 'whole' | 'cut' | 'frozen' = 'whole';

  const server = createServer((near) => {
    if (state === 'cut') return void near.destroy();
    const away = connect(Number(far.port || 5432), far.hostname);
    for (const [socket, other] of [
      [near, away],
      [away, near],
    ] as const) {
      sockets.add(socket);
      socket.on('data', (bytes) => {
        if (state === 'whole') other.write(bytes);
      });
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String(typeof address === 'object' && address ? address.port : 0);

  const drop = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: url.href,
    cut() {
      state = 'cut';
      drop();
    },
    freeze() {
      state = 'frozen';
    },
    mend() {
      // What was frozen has lost bytes and is of no use to anybody.
      if (state === 'frozen') drop();
      state = 'whole';
    },
    async [Symbol.asyncDispose]() {
      drop();
      server.close();
      await once(server, 'close');
    },
  };
}
