/** A receiver of alerts on a port: it keeps what it is sent, and answers as it is told. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type ReceivedAlert = { path: string; authorization: string | undefined; body: unknown };

export type AlertInbox = AsyncDisposable & {
  url: string;
  requests: ReceivedAlert[];
  /** Answers a request; by default as Telegram does. */
  answer: (response: ServerResponse) => unknown;
  /** Forgets the requests, and answers as by default. */
  reset(): void;
};

const accept = (response: ServerResponse): unknown => response.end('{"ok":true}');

export async function openAlertInbox(): Promise<AlertInbox> {
  const server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
    inbox.requests.push({ path: request.url ?? '', authorization: request.headers.authorization, body });
    inbox.answer(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const inbox: AlertInbox = {
    url: `http://127.0.0.1:${port}`,
    requests: [],
    answer: accept,
    reset() {
      inbox.requests.length = 0;
      inbox.answer = accept;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return inbox;
}
