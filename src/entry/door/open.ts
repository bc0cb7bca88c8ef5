/** One edge function: the whole API behind one name, booted when the first request comes. */
import type { ErrorCode } from '../../kernel/errors.ts';
import { messageFor } from '../../kernel/messages/index.ts';
import { StartupError } from '../../kernel/startup-error.ts';
import { bootIsolate, type Isolate } from './boot.ts';
import { deno, type Handler } from './runtime.ts';

/** Functions that stand for a place at the root of the API; all others stand for a path under `/functions/v1/`. */
const ROOTS = ['auth', 'storage', 'functions', 'healthz', 'readyz'];

let isolate: Promise<Isolate> | undefined;

/** The isolate's application. A start that failed is tried again with the next request: the database may be back. */
export function theIsolate(): Promise<Isolate> {
  isolate ??= bootIsolate(deno().env.toObject(), stoppingOfIsolate()).catch((error) => {
    isolate = undefined;
    throw error;
  });
  return isolate;
}

/** Serves the function of this name: a request for `/<name>/…` is answered as the API answers the path it stands for. */
export function serveFunction(name: string): void {
  deno().serve({}, functionHandler(name));
}

export function functionHandler(name: string): Handler {
  return async (request, info) => {
    const url = new URL(request.url);
    if (!ROOTS.includes(name)) url.pathname = `/functions/v1${url.pathname}`;
    try {
      const { api } = await theIsolate();
      return await api.fetch(new Request(url, request), info);
    } catch (error) {
      return refuseToStart(error);
    }
  };
}

/** Says why in the log alone: a caller learns that it may come back. */
export function refuseToStart(error: unknown): Response {
  const why = error instanceof StartupError ? error.message : error instanceof Error ? error.name : 'unknown';
  console.error(JSON.stringify({ level: 'error', msg: 'the function could not answer', why }));
  return refusal(503, 'ERR_6003', { 'Retry-After': '5' });
}

/** A refusal from before, or beside, the application, in its shape. */
export function refusal(status: number, code: ErrorCode, headers: Record<string, string> = {}): Response {
  return Response.json({ error: { code, message: messageFor(code, 'en'), details: {} } }, { status, headers });
}

function stoppingOfIsolate(): AbortSignal {
  const stopping = new AbortController();
  addEventListener('beforeunload', () => stopping.abort());
  return stopping.signal;
}
