/** The Apple of the tests' own, on a port of this machine: for servers that run in processes of their own. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { BUNDLE_ID, createTestApple, type TestApple } from './apple-id.ts';

export type AppleIdServer = AsyncDisposable & {
  apple: TestApple;
  /** The environment variables of a server that uses this Apple. */
  env: Record<string, string>;
};

export async function startAppleId(): Promise<AppleIdServer> {
  const apple = await createTestApple();
  const server = createServer(async (request, response) => {
    const answer = await apple.fetch(await requestOf(request));
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(new Uint8Array(await answer.arrayBuffer()));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    apple,
    env: { APPLE_ID_URL: `http://127.0.0.1:${address.port}`, APPLE_BUNDLE_ID: BUNDLE_ID },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function requestOf(request: IncomingMessage): Promise<Request> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const headers = { 'Content-Type': request.headers['content-type'] ?? '' };
  if (request.method !== 'POST') return new Request(url, { headers });
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return new Request(url, { method: 'POST', headers, body: new Uint8Array(Buffer.concat(chunks)) });
}
