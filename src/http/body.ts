import { Problem } from '../kernel/errors.ts';

/**
 * A rejected body is still read, up to this many bytes. Otherwise the connection is reset while the client is still
 * sending, and the client never sees the response.
 */
const DRAIN_BYTES_MAX = 8 * 1024 * 1024;

/**
 * Returns the whole body as bytes. Throws ERR_4014 if it is longer than `bytesMax`: by `Content-Length` before reading,
 * else as soon as more bytes have arrived.
 */
export async function readBytes(request: Request, bytesMax: number): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = () => new Problem('ERR_4014', { details: { field: 'body', bytes_max: bytesMax } });
  // A missing or empty length is 0 and an invalid one NaN: such bodies are counted while they are read.
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
    // Not cancelled: that would close the connection.
    reader.releaseLock();
  }
}

export type ByteReader = ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;

/** Reads the next chunk. Throws ERR_4006 if the client breaks off. */
export async function readChunk(reader: ByteReader) {
  try {
    return await reader.read();
  } catch (cause) {
    throw new Problem('ERR_4006', { details: { field: 'body' }, cause });
  }
}

/** Reads the rest of a rejected body, up to DRAIN_BYTES_MAX. */
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
