/** One edge function: the whole API behind one name, booted by the first request. */
import type { ErrorCode } from '../../kernel/errors.ts';
import { messageFor } from '../../kernel/messages/index.ts';
import { StartupError } from '../../kernel/startup-error.ts';
import { bootIsolate, type Isolate } from './boot.ts';
import { deno, type Handler } from './runtime.ts';

/** Functions that serve a path at the root of the API; all others serve a path under `/functions/v1/`. */
const ROOTS = ['auth', 'storage', 'functions', 'healthz', 'readyz'];

let isolate: Promise<Isolate> | undefined;

/** The isolate's application. A failed start is retried with the next request: the database may be back. */
export function getIsolate(): Promise<Isolate> {
  isolate ??= bootIsolate(deno().env.toObject(), stoppingOfIsolate()).catch((error) => {
    isolate = undefined;
    throw error;
  });
  return isolate;
}

/** Serves the function of this name: it answers `/<name>/…` as the API answers the corresponding path. */
export function serveFunction(name: string): void {
  deno().serve({}, functionHandler(name));
}

export function functionHandler(name: string): Handler {
  return async (request, info) => {
    const url = new URL(request.url);
    if (!ROOTS.includes(name)) url.pathname = `/functions/v1${url.pathname}`;
    try {
      const { api } = await getIsolate();
      return await api.fetch(new Request(url, request), info);
    } catch (error) {
      return unavailable(error);
    }
  };
}

/** Logs the reason; the caller only learns that it may retry. */
export function unavailable(error: unknown): Response {
  const reason = error instanceof StartupError ? error.message : error instanceof Error ? error.name : 'unknown';
  console.error(JSON.stringify({ level: 'error', msg: 'edge function failed', why: reason }));
  return errorResponse(503, 'ERR_6003', { 'Retry-After': '5' });
}

/** An error in the API's format, for requests that do not reach the application. */
export function errorResponse(status: number, code: ErrorCode, headers: Record<string, string> = {}): Response {
  return Response.json({ error: { code, message: messageFor(code, 'en'), details: {} } }, { status, headers });
}

function stoppingOfIsolate(): AbortSignal {
  const stopping = new AbortController();
  addEventListener('beforeunload', () => stopping.abort());
  return stopping.signal;
}
