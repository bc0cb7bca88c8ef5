/** A collector of traces on a port: it keeps what it is sent by OTLP over HTTP, and answers as it is told. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type ReceivedSpan = {
  traceId: string;
  spanId: string;
  parentSpanId: string | null;
  name: string;
  attributes: Record<string, unknown>;
  hasFailed: boolean;
};

export type OtlpReceiver = AsyncDisposable & {
  url: string;
  requests: { path: string; headers: IncomingHttpHeaders; body: Buffer }[];
  /** Answers a request; by default with 200. */
  answer: (response: ServerResponse) => unknown;
  /** The spans of all requests that were JSON. */
  spans(): ReceivedSpan[];
  /** `service.name` and others, of the last request that was JSON. */
  resource(): Record<string, unknown>;
};

type JsonAttribute = { key: string; value: Record<string, unknown> };
type JsonSpan = {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  attributes?: JsonAttribute[];
  status?: { code?: number };
};

export async function openOtlpReceiver(): Promise<OtlpReceiver> {
  const server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    receiver.requests.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) });
    receiver.answer(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const parsed = () =>
    receiver.requests
      .filter(({ headers }) => headers['content-type'] === 'application/json')
      .flatMap(({ body }) => JSON.parse(body.toString()).resourceSpans);
  const receiver: OtlpReceiver = {
    url: `http://127.0.0.1:${port}`,
    requests: [],
    answer: (response) => response.setHeader('Content-Type', 'application/json').end('{}'),
    spans: () =>
      parsed()
        .flatMap(({ scopeSpans }) => scopeSpans)
        .flatMap(({ spans }) => spans)
        .map(readSpan),
    resource: () => attributesOf(parsed().at(-1)?.resource.attributes),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return receiver;
}

function readSpan({ traceId, spanId, parentSpanId, name, attributes, status }: JsonSpan): ReceivedSpan {
  return {
    ...{ traceId, spanId, name },
    parentSpanId: parentSpanId || null,
    attributes: attributesOf(attributes),
    hasFailed: status?.code === 2,
  };
}

function attributesOf(attributes: JsonAttribute[] = []): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
