/** One HTTP call to the server under test, and its reply. */
import assert from 'node:assert/strict';

export type CallOptions = {
  token?: string | undefined;
  /** An object is sent as JSON; text and bytes as they are. */
  body?: unknown;
  headers?: Record<string, string> | undefined;
  signal?: AbortSignal | undefined;
};

export type Reply<Body> = {
  status: number;
  headers: Headers;
  text: string;
  /** The parsed JSON; undefined if the body is not JSON. */
  body: Body;
};

/** The default body type: a test has to assert the type of a field before it uses it. */
export type Json = { [key: string]: unknown };

/** No answer may take this long, even on a very busy machine. */
const ANSWER_MS = 30_000;

/** Calls `path` (of the API unless it begins with a slash) and reads the whole answer. */
export async function call<Body = Json>(
  base: string,
  method: string,
  path: string,
  options: CallOptions = {},
): Promise<Reply<Body>> {
  // The error of `fetch` does not say which call had no answer.
  const fail = (cause: unknown) => {
    throw new Error(`${method} ${path}: no complete answer`, { cause });
  };
  const response = await send(base, method, path, options).catch(fail);
  const text = await response.text().catch(fail);
  return { status: response.status, headers: response.headers, text, body: parse<Body>(text) };
}

/** The same, with the body left unread. */
export function send(base: string, method: string, path: string, options: CallOptions = {}): Promise<Response> {
  const { token, body, headers, signal } = options;
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  return fetch(urlOf(base, path), {
    method,
    headers: {
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...headers,
    },
    signal: signal ?? AbortSignal.timeout(ANSWER_MS),
    redirect: 'manual',
    ...(body === undefined ? {} : { body: isRaw ? bytesOf(body) : JSON.stringify(body) }),
  });
}

export function urlOf(base: string, path: string): string {
  if (/^https?:/.test(path)) return path;
  return `${base}${path.startsWith('/') ? path : `/functions/v1/${path}`}`;
}

function bytesOf(body: string | Uint8Array): Uint8Array<ArrayBuffer> {
  return typeof body === 'string' ? new TextEncoder().encode(body) : new Uint8Array(body);
}

/** The only unchecked cast of an answer; the tests assert the shapes. */
function parse<Body>(text: string): Body {
  try {
    return JSON.parse(text) as Body;
  } catch {
    return undefined as Body;
  }
}

/** Asserts the status, shows the body if it differs, and returns the reply. */
export function expectStatus<Body>(reply: Reply<Body>, status: number): Reply<Body> {
  assert.equal(reply.status, status, `expected ${status}, got ${reply.status}: ${reply.text.slice(0, 500)}`);
  return reply;
}
