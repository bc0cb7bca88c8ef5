/** A proxy in front of an HTTP server that cuts connections where a test says, as mobile networks do at random. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** The share (0 to 1) of a request's or an answer's bytes that passes before both connections are cut. */
export type CutPoint = { part: 'request' | 'answer'; share: number };

export type CuttingProxy = AsyncDisposable & {
  /** The URL of the proxy. */
  url: string;
  /** Cuts the next request whose bytes contain `mark`, once. */
  cutNext(mark: string, point: CutPoint): void;
  /** Cuts every answer to requests that contain `mark` after `bytes()` bytes; null ends that. */
  cutAnswers(mark: string, bytes: (() => number) | null): void;
  /** Holds back the answers to requests that contain `mark`, as a buffering proxy does. */
  holdAnswers(mark: string, isHeld: boolean): void;
  /** Ends all connections and refuses new ones until `open`. */
  close(): void;
  open(): void;
  /** How many cuts `cutNext` and `cutAnswers` have made. */
  readonly cuts: number;
  /** The requests that contained `mark` so far, each in full. */
  requests(mark: string): string[];
};

type Answer = { point?: CutPoint | undefined; bytesLeft?: number | undefined; isHeld: boolean; seen: Buffer };

export async function createCuttingProxy(target: string): Promise<CuttingProxy> {
  const targetUrl = new URL(target);
  const points = new Map<string, CutPoint>();
  const limits = new Map<string, () => number>();
  const held = new Set<string>();
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  let isClosed = false;
  let cuts = 0;

  function keep(socket: Socket): void {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  }

  function planFor(request: string): Answer {
    const mark = [...points.keys()].find((each) => request.includes(each)) ?? '';
    const point = points.get(mark);
    points.delete(mark);
    const limit = [...limits].find(([each]) => request.includes(each))?.[1];
    const isHeld = [...held].some((each) => request.includes(each));
    return { point, bytesLeft: limit?.(), isHeld, seen: Buffer.alloc(0) };
  }

  const server = createServer((client) => {
    keep(client);
    if (isClosed) return void client.resetAndDestroy();
    const upstream = connect(Number(targetUrl.port), targetUrl.hostname);
    keep(upstream);
    relay(client, upstream, {
      planFor,
      onRequest: (request) => void requests.push(request),
      onCut() {
        cuts += 1;
      },
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const close = () => {
    isClosed = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    cutNext: (mark, point) => void points.set(mark, point),
    cutAnswers: (mark, bytes) => void (bytes ? limits.set(mark, bytes) : limits.delete(mark)),
    holdAnswers: (mark, isHeld) => void (isHeld ? held.add(mark) : held.delete(mark)),
    close,
    open() {
      isClosed = false;
    },
    get cuts() {
      return cuts;
    },
    requests: (mark) => requests.filter((each) => each.includes(mark)),
    async [Symbol.asyncDispose]() {
      close();
      server.close();
      await once(server, 'close');
    },
  };
}

type RelayOptions = { planFor(request: string): Answer; onRequest(request: string): void; onCut(): void };

/** Passes bytes between both sides, up to the cut that a request's plan contains. */
function relay(client: Socket, upstream: Socket, { planFor, onRequest, onCut }: RelayOptions): void {
  client.once('close', () => upstream.destroy());
  upstream.once('close', () => client.destroy());
  const passAndCut = (socket: Socket, bytes: Buffer) => {
    onCut();
    const cut = () => {
      client.destroy();
      upstream.destroy();
    };
    if (bytes.byteLength > 0) socket.write(bytes, cut);
    else cut();
  };
  let received = Buffer.alloc(0);
  let answer = planFor('');

  client.on('data', (bytes) => {
    received = Buffer.concat([received, bytes]);
    if (!isWhole(received)) return;
    const request = received;
    received = Buffer.alloc(0);
    onRequest(request.toString('utf8'));
    answer = planFor(request.toString('utf8'));
    const { point } = answer;
    if (point?.part === 'request') passAndCut(upstream, shareOf(request, point.share));
    else upstream.write(request);
  });
  upstream.on('data', (bytes) => {
    if (answer.isHeld) return;
    if (answer.bytesLeft !== undefined) {
      const passing = bytes.subarray(0, answer.bytesLeft);
      answer.bytesLeft -= passing.byteLength;
      if (answer.bytesLeft === 0) passAndCut(client, passing);
      else client.write(passing);
    } else if (answer.point?.part === 'answer') {
      answer.seen = Buffer.concat([answer.seen, bytes]);
      if (isWhole(answer.seen)) passAndCut(client, shareOf(answer.seen, answer.point.share));
    } else client.write(bytes);
  });
}

function shareOf(bytes: Buffer, share: number): Buffer {
  return bytes.subarray(0, Math.floor(bytes.byteLength * share));
}

/** Whether the bytes are a complete request or answer, judged by Content-Length or the last chunk. */
function isWhole(bytes: Buffer): boolean {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const head = bytes.subarray(0, end).toString('latin1');
  if (/^transfer-encoding: *chunked/im.test(head)) return bytes.subarray(-5).toString('latin1') === '0\r\n\r\n';
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  return bytes.byteLength >= end + 4 + length;
}
