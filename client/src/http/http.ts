/** One request, and what can become of it: an answer, a refusal, or silence. */
import { ConnectionError, refusalOf } from './errors.ts';
import { type Progress, toldBy } from './progress.ts';
import { withDeadline } from './timers.ts';

export type Call = {
  method?: 'GET' | 'POST' | 'DELETE';
  /** Sent as JSON. */
  body?: object;
  /** Sent as it is, under its own type. */
  content?: Blob;
  /** Hears how much of `content` has left. */
  onProgress?: ((progress: Progress) => void) | undefined;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
};

/** Uploads slower than this (256 kbit/s) count as silence. */
const BYTES_PER_MS_MIN = 32;

export type Http = {
  /** The answer's JSON. Throws RendioError, ConnectionError, or the signal's reason. */
  ask<Answer>(url: string, call?: Call): Promise<Answer>;
  /** The answer itself, its body unread and without a deadline. */
  open(url: string, call: Call): Promise<Response>;
  /** The server's time in milliseconds, now or when this machine's clock said `localMs`: that one may be wrong. */
  now(localMs?: number): number;
  /** Learns the server's time, in milliseconds. */
  setClock(serverMs: number): void;
};

export type HttpOptions = {
  fetch: typeof globalThis.fetch;
  language: () => string | undefined;
  apikey: string | undefined;
  timeoutMs: number;
};

export function createHttp(options: HttpOptions): Http {
  let aheadMs = 0;
  const setClock = (serverMs: number) => {
    aheadMs = serverMs - Date.now();
  };

  async function send(url: string, { method = 'GET', body, content, onProgress, headers, signal }: Call) {
    const type = body ? 'application/json' : content?.type;
    const fetch = content && onProgress ? toldBy(options.fetch, content.size, onProgress) : options.fetch;
    const response = await fetch(url, {
      method,
      headers: { ...common(), ...(type && { 'Content-Type': type }), ...headers },
      ...(body && { body: JSON.stringify(body) }),
      ...(content && { body: content }),
      ...(signal && { signal }),
      cache: 'no-store',
    }).catch((cause) => silence(cause, signal));
    const date = Date.parse(response.headers.get('Date') ?? '');
    if (Number.isFinite(date)) setClock(date);
    if (response.ok) return response;
    throw await refusalOf(response).catch((cause) => silence(cause, signal));
  }

  function common(): Record<string, string> {
    const language = options.language();
    return {
      ...(language && { 'Accept-Language': language }),
      ...(options.apikey && { apikey: options.apikey }),
    };
  }

  return {
    async ask<Answer>(url: string, call: Call = {}): Promise<Answer> {
      const timeoutMs = options.timeoutMs + (call.content?.size ?? 0) / BYTES_PER_MS_MIN;
      return withDeadline(timeoutMs, call.signal, async (signal) => {
        const response = await send(url, { ...call, signal });
        return response.json().catch((cause) => silence(cause, signal));
      }).catch((error) => {
        if (isTimeout(error) && !call.signal?.aborted) return silence(error, undefined);
        throw error;
      });
    },
    open: send,
    now: (localMs = Date.now()) => localMs + aheadMs,
    setClock,
  };
}

const isTimeout = (error: unknown) => error instanceof DOMException && error.name === 'TimeoutError';

/** Whoever aborts hears their own reason; everything else is an answer that did not come. */
function silence(cause: unknown, signal: AbortSignal | undefined): never {
  if (signal?.aborted) throw signal.reason;
  throw new ConnectionError('No answer came from the server.', { cause });
}
