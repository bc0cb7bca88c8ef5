/** One POST to a receiver of alerts: no redirect is followed, and neither time nor answer is without a bound. */

export type PostOptions = {
  fetch: typeof fetch;
  url: string;
  headers?: Record<string, string>;
  timeoutMs?: number;
};
export type PostResult = { status: number; text: string } | { status: null; cause: string };

const TIMEOUT_MS = 10_000;
/** An answer only says whether the alert arrived. */
const ANSWER_BYTES_MAX = 10_000;

/** Never throws. A failure has the error's name alone: its message may hold the URL, which is a secret. */
export async function postJson(
  { fetch, url, headers = {}, timeoutMs = TIMEOUT_MS }: PostOptions,
  body: object,
  signal: AbortSignal,
): Promise<PostResult> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      redirect: 'manual',
      signal: limit,
    });
    return { status: response.status, text: await beginningOf(response, limit) };
  } catch (error) {
    return { status: null, cause: error instanceof Error ? error.name : 'no answer' };
  }
}

async function beginningOf(response: Response, signal: AbortSignal): Promise<string> {
  if (!response.body) return '';
  const reader = response.body.getReader();
  const stop = () => void reader.cancel().catch(() => {});
  signal.addEventListener('abort', stop, { once: true });
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (let bytes = 0; bytes < ANSWER_BYTES_MAX; ) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) break;
      bytes += value.byteLength;
      text += decoder.decode(value, { stream: true });
    }
    return text;
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}
