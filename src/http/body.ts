import { Problem } from '../kernel/errors.ts';

/**
 * A refused body is still read to its end, within this many bytes: a connection closed on a client that is still sending
 * is reset, and the client never sees the answer.
 */
const DRAIN_BYTES_MAX = 8 * 1024 * 1024;

/**
 * The whole body as bytes. Throws ERR_4014 when it is longer than `bytesMax`: by `Content-Length` before any of it is
 * read, else as soon as that many bytes have come.
 */
export async function readBytes(request: Request, bytesMax: number): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = () => new Problem('ERR_4014', { details: { bytes_max: bytesMax } });
  // Number('') is 0 and of anything odd NaN: those bodies are counted as they come.
  if (Number(request.headers.get('Content-Length')) > bytesMax) throw tooLarge();
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader();
  try {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for (;;) {
      const { done, value } = await readChunk(reader);
      if (done) return concatenate(chunks, bytes);
      bytes += value.byteLength;
      if (bytes > bytesMax) {
        await drain(reader);
        throw tooLarge();
      }
      chunks.push(value);
    }
  } finally {
    // Never cancelled: cancelling would close the connection.
    reader.releaseLock();
  }
}

export type ByteReader = ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;

/** A body that breaks off is its sender's doing. */
export async function readChunk(reader: ByteReader) {
  try {
    return await reader.read();
  } catch (cause) {
    throw new Problem('ERR_4006', { details: { field: 'body' }, cause });
  }
}

/** Reads on to the end of a refused body, as far as is sensible. */
export async function drain(reader: ByteReader): Promise<void> {
  for (let bytes = 0; bytes < DRAIN_BYTES_MAX; ) {
    const { done, value } = await readChunk(reader);
    if (done) return;
    bytes += value.byteLength;
  }
}

function concatenate(chunks: Uint8Array[], bytes: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(bytes);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}
