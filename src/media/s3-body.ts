/** Bodies of requests to an S3 store, and of its answers. */
import { Buffer } from 'node:buffer';

/** Node's `fetch` copies a body of bytes, and sends a stream's `Content-Length`; Deno's sends a stream without it. */
const IS_STREAMED = !('Deno' in globalThis);
const PIECE_BYTES = 64 * 1024;
/** The answers of the protocol that we read are a few hundred bytes long. */
const TEXT_BYTES_MAX = 1024 * 1024;
/** An object whose bytes have begun to arrive may pause for this long. */
const PAUSE_MS = 30_000;

export function withBody(body: Uint8Array<ArrayBuffer> | string, headers: Headers): RequestInit & { duplex?: 'half' } {
  if (typeof body === 'string' || !IS_STREAMED || body.length === 0) return { body };
  headers.set('Content-Length', String(body.length));
  let sent = 0;
  const pieces = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (sent === body.length) return controller.close();
        const piece = body.subarray(sent, sent + PIECE_BYTES);
        sent += piece.length;
        controller.enqueue(piece);
      },
    },
    { highWaterMark: 0 },
  );
  return { body: pieces, duplex: 'half' };
}

/** Throws for a text that is longer than any answer of the protocol. */
export async function readText({ body }: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body ?? []) {
    bytes += piece.length;
    if (bytes > TEXT_BYTES_MAX) throw new Error('the store answered with too long a text');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** The same bytes; fails, and aborts the call, where the store stays silent while its reader waits. */
export function endOfStalls(
  body: ReadableStream<Uint8Array>,
  call: AbortController,
  firstMs: number,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let limitMs = firstMs;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const silence = new Error('the store stopped sending');
        const timer = setTimeout(() => {
          call.abort(silence);
          void reader.cancel(silence).catch(() => {});
        }, limitMs);
        const { done, value } = await reader.read().finally(() => clearTimeout(timer));
        // A cancelled body looks like one that is at its end.
        if (call.signal.aborted) throw silence;
        limitMs = PAUSE_MS;
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
