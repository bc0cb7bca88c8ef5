/** The text of the body, or why there is none: at `too_large`, reading stops at the limit. */
export type BodyText = { text: string } | { unreadable: 'too_large' };

/** Reads a body of at most `bytesMax` as UTF-8. Throws what the stream throws, and the signal's reason once it aborts. */
export async function readText(response: Response, bytesMax: number, signal: AbortSignal): Promise<BodyText> {
  if (!response.body) return { text: '' };
  const reader = response.body.getReader();
  const stop = () => void reader.cancel().catch(() => {});
  signal.addEventListener('abort', stop, { once: true });
  try {
    const decoder = new TextDecoder();
    let text = '';
    let bytes = 0;
    for (;;) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) return { text: text + decoder.decode() };
      bytes += value.byteLength;
      if (bytes > bytesMax) return { unreadable: 'too_large' };
      text += decoder.decode(value, { stream: true });
    }
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}
