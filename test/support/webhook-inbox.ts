/** The operator's own server: it keeps the events that it is sent, verifies them by the official library, and answers as it is told. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export type ReceivedWebhook = {
  id: string;
  /** Unix seconds: when the attempt was made. */
  sentAt: number;
  headers: IncomingHttpHeaders;
  text: string;
  body: { type: string; timestamp: string; data: ReturnType<JSON['parse']> };
};

export type WebhookInbox = AsyncDisposable & {
  url: string;
  secret: string;
  requests: ReceivedWebhook[];
  /** Requests whose signature is not the sender's. */
  forged: string[];
  /** How many requests are unanswered. */
  open(): number;
  /** Answers a request; by default 204. */
  answer: (response: ServerResponse, request: ReceivedWebhook) => unknown;
  /** Forgets the requests, and answers as by default. */
  reset(): void;
};

const accept = (response: ServerResponse): unknown => response.writeHead(204).end();

export const newWebhookSecret = (bytes = 32): string => `whsec_${randomBytes(bytes).toString('base64')}`;

export async function openWebhookInbox(): Promise<WebhookInbox> {
  const secret = newWebhookSecret();
  const verifier = new Webhook(secret);
  let open = 0;
  const server = createServer(async (request, response) => {
    open += 1;
    response.once('close', () => (open -= 1));
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const id = String(request.headers['webhook-id']);
    try {
      verifier.verify(text, Object.fromEntries(Object.entries(request.headers).map(([k, v]) => [k, String(v)])));
    } catch (error) {
      inbox.forged.push(`${id}: ${error}`);
    }
    const { headers } = request;
    const received = { id, sentAt: Number(headers['webhook-timestamp']), headers, text, body: JSON.parse(text) };
    inbox.requests.push(received);
    inbox.answer(response, received);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const inbox: WebhookInbox = {
    url: `http://127.0.0.1:${port}/events`,
    secret,
    requests: [],
    forged: [],
    open: () => open,
    answer: accept,
    reset() {
      inbox.requests.length = 0;
      inbox.forged.length = 0;
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
