/** One request, and what can become of it: an answer, a refusal, or silence. */
import { ConnectionError, refusalOf } from './errors.ts';
import { withDeadline } from './pause.ts';

export type Call = {
  method?: 'GET' | 'POST';
  body?: object;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
};

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

  async function send(url: string, { method = 'GET', body, headers, signal }: Call): Promise<Response> {
    const response = await options
      .fetch(url, {
        method,
        headers: { ...common(), ...(body && { 'Content-Type': 'application/json' }), ...headers },
        ...(body && { body: JSON.stringify(body) }),
        ...(signal && { signal }),
        cache: 'no-store',
      })
      .catch((cause) => silence(cause, signal));
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
      return withDeadline(options.timeoutMs, call.signal, async (signal) => {
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
