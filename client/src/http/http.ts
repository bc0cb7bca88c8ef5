/** Sends one request. It ends with an answer, a RendioError or a ConnectionError. */
import { abortReason } from './abort.ts';
import { ConnectionError, errorFromResponse } from './errors.ts';
import { type Progress, withProgress } from './progress.ts';
import { TimeoutError, withTimeout } from './timers.ts';

export type Call = {
  method?: 'GET' | 'POST' | 'DELETE';
  /** Sent as JSON. */
  body?: object;
  /** Sent unchanged, with the blob's content type. */
  content?: Blob;
  /** Called as `content` is sent. */
  onProgress?: ((progress: Progress) => void) | undefined;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
};

const NO_CONTENT = 204;
/** An upload slower than this (256 kbit/s) times out. */
const BYTES_PER_MS_MIN = 32;

export type Http = {
  /** Resolves with the answer's JSON; with undefined for an answer without content. Throws RendioError, ConnectionError, or the signal's reason. */
  request<Answer>(url: string, call?: Call): Promise<Answer>;
  /** Resolves with the response, its body unread. Has no timeout. */
  open(url: string, call: Call): Promise<Response>;
  /** The server's time in milliseconds, now or when this machine's clock read `localMs`. This machine's clock may be wrong. */
  now(localMs?: number): number;
  /** Sets the server's time, in milliseconds. */
  setClock(serverMs: number): void;
};

export type HttpOptions = {
  fetch: typeof globalThis.fetch;
  language: () => string | undefined;
  apikey: string | undefined;
  timeoutMs: number;
};

export function createHttp(options: HttpOptions): Http {
  let serverAheadMs = 0;
  const setClock = (serverMs: number) => {
    serverAheadMs = serverMs - Date.now();
  };

  async function send(url: string, { method = 'GET', body, content, onProgress, headers, signal }: Call) {
    const type = body ? 'application/json' : content?.type;
    const fetch = content && onProgress ? withProgress(options.fetch, content.size, onProgress) : options.fetch;
    const response = await fetch(url, {
      method,
      headers: { ...commonHeaders(), ...(type && { 'Content-Type': type }), ...headers },
      ...(body && { body: JSON.stringify(body) }),
      ...(content && { body: content }),
      ...(signal && { signal }),
      // Only pages have a cache, and some other runtimes reject the option.
      ...(typeof document !== 'undefined' && { cache: 'no-store' }),
    }).catch((cause) => throwNoAnswer(cause, signal));
    const date = Date.parse(response.headers.get('Date') ?? '');
    if (Number.isFinite(date)) setClock(date);
    if (response.ok) return response;
    throw await errorFromResponse(response).catch((cause) => throwNoAnswer(cause, signal));
  }

  function commonHeaders(): Record<string, string> {
    const language = options.language();
    return {
      ...(language && { 'Accept-Language': language }),
      ...(options.apikey && { apikey: options.apikey }),
    };
  }

  return {
    async request<Answer>(url: string, call: Call = {}): Promise<Answer> {
      const timeoutMs = options.timeoutMs + (call.content?.size ?? 0) / BYTES_PER_MS_MIN;
      return withTimeout(timeoutMs, call.signal, async (signal) => {
        const response = await send(url, { ...call, signal });
        if (response.status === NO_CONTENT) return undefined as Answer;
        return response.json().catch((cause) => throwNoAnswer(cause, signal));
      }).catch((error) => {
        if (error instanceof TimeoutError) return throwNoAnswer(error, undefined);
        throw error;
      });
    },
    open: send,
    now: (localMs = Date.now()) => localMs + serverAheadMs,
    setClock,
  };
}

/** Throws the reason of an aborted signal, else a ConnectionError. */
function throwNoAnswer(cause: unknown, signal: AbortSignal | undefined): never {
  if (signal?.aborted) throw abortReason(signal);
  throw new ConnectionError('No answer came from the server.', { cause });
}
