/** One request, and what can become of it: an answer, a refusal, or silence. */
import { language } from './strings.js';

/** The server said no. `message` is its sentence in the reader's language. */
export class ApiError extends Error {
  constructor(response, body) {
    super(body?.error?.message ?? body?.msg ?? '');
    this.status = response.status;
    this.code = body?.error?.code ?? '';
    this.details = body?.error?.details ?? {};
    this.requestId = response.headers.get('X-Request-Id');
    this.retryAfterMs = Number(response.headers.get('Retry-After')) * 1000;
  }
}

/** No answer came: nobody knows whether the request arrived. */
export class ConnectionError extends Error {}

const TIMEOUT_MS = 20_000;
let serverAheadMs = 0;

/** The server's time in milliseconds: this machine's clock may be wrong. */
export function serverNow() {
  return Date.now() + serverAheadMs;
}

/** Resolves with an answer below 400; throws ApiError or ConnectionError. */
export async function send(method, path, { body, headers = {}, signal } = /** @type {any} */ ({})) {
  const type = body ? { 'Content-Type': 'application/json' } : {};
  const response = await fetch(path, {
    method,
    headers: { 'Accept-Language': language(), ...type, ...headers },
    body: body && JSON.stringify(body),
    cache: 'no-store',
    signal: signal ?? AbortSignal.timeout(TIMEOUT_MS),
  }).catch(silence);
  const date = Date.parse(response.headers.get('Date') ?? '');
  if (date) serverAheadMs = date - Date.now();
  if (response.ok) return response;
  throw new ApiError(response, await response.json().catch(() => null));
}

/** The same, read as JSON. */
export async function ask(method, path, options) {
  const response = await send(method, path, options);
  return response.json().catch(silence);
}

/** @returns {never} */
function silence(cause) {
  throw new ConnectionError('no answer', { cause });
}

/** A link at the address that this page came from: the server may call itself by another name. */
export function here(url) {
  if (!url) return '';
  const { pathname, search } = new URL(url, location.href);
  return pathname + search;
}
