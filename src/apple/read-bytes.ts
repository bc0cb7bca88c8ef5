/** Reads a body of at most `bytesMax`; null if it is larger. Throws what the stream throws, and the signal's reason once it aborts. */
export async function readBytes(
  response: Response,
  bytesMax: number,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer> | null> {
  if (!response.body) return new Uint8Array();
  const reader = response.body.getReader();
  const stop = () => void reader.cancel().catch(() => {});
  signal.addEventListener('abort', stop, { once: true });
  try {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for (;;) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) return joined(chunks, bytes);
      bytes += value.byteLength;
      if (bytes > bytesMax) return null;
      chunks.push(value);
    }
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}

function joined(chunks: Uint8Array[], bytes: number): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.byteLength;
  }
  return all;
}
