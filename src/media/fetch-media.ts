/** Downloads a finished file from a provider's host to this machine, as a stream. Other hosts are refused. */
import { rm } from 'node:fs/promises';
import { errorLabel } from '../kernel/error-code.ts';
import { mayBePublic } from '../kernel/public-ip.ts';
import { collectYoung } from '../platform/garbage-collection.ts';
import { ForbiddenHost, type Lookup } from '../platform/ssrf-safe-request.ts';
import { openFile } from './open-file.ts';
import { ssrfSafeGet } from './ssrf-safe-get.ts';

export type FetchMediaOptions = {
  /** More allowed `host[:port]`s than the provider's own, from the configuration. */
  extraHosts: readonly string[];
  /** Whether these hosts may use plain HTTP and private IP addresses: only outside production. */
  extraMayBePrivate: boolean;
  bytesMax: number;
  /** A transfer that brings no bytes for this long is aborted. */
  stallMs: number;
  lookup?: Lookup;
  /** See `SafeConnection`. */
  fetch?: typeof fetch | undefined;
  /** Used instead of the network: a simulator inside this process. */
  get?: (url: URL, signal: AbortSignal) => Promise<Response>;
};

export type MediaFetcher = {
  /**
   * Writes the file to `path`, replacing it, and resolves with its size. Throws a `MediaFetchError` and leaves no file, also
   * where the file has not the size `bytesExpected`.
   */
  fetchToFile(
    url: string,
    path: string,
    hosts: readonly string[],
    signal: AbortSignal,
    bytesExpected?: number,
  ): Promise<{ bytes: number }>;
};

/**
 * `isFinal`: a retry would fail in the same way. `isNotReady`: the host answered, though not with the file: it may have it some
 * minutes later. `message` is for the log.
 */
export class MediaFetchError extends Error {
  readonly isFinal: boolean;
  readonly isNotReady: boolean;

  constructor(message: string, options: { isFinal: boolean; isNotReady?: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.isFinal = options.isFinal;
    this.isNotReady = options.isNotReady ?? false;
  }
}

function notReady(message: string): MediaFetchError {
  return new MediaFetchError(message, { isFinal: false, isNotReady: true });
}

const REDIRECTS_MAX = 5;
/** Garbage is collected after each of this many bytes of a stream. */
const COLLECT_BYTES = 8 * 1024 * 1024;

export function createMediaFetcher(options: FetchMediaOptions): MediaFetcher {
  return {
    async fetchToFile(url, path, hosts, signal, bytesExpected) {
      const stall = new AbortController();
      const onStall = () => stall.abort(new MediaFetchError('the transfer stalled', { isFinal: false }));
      const stallTimer = setTimeout(onStall, options.stallMs);
      const anySignal = AbortSignal.any([signal, stall.signal]);
      try {
        const answer = await follow(url, hosts, anySignal, options);
        const bytes = await save(answer, path, options.bytesMax, anySignal, () => stallTimer.refresh());
        if (bytes === 0) throw notReady('the file is empty');
        if (bytes !== (bytesExpected ?? bytes)) {
          throw notReady(`the file has ${bytes} bytes instead of ${bytesExpected}`);
        }
        return { bytes };
      } catch (error) {
        await rm(path, { force: true });
        signal.throwIfAborted();
        if (stall.signal.aborted) throw stall.signal.reason;
        throw error instanceof MediaFetchError ? error : toFetchError(error);
      } finally {
        clearTimeout(stallTimer);
      }
    },
  };
}

/** Returns the answer after all redirects. Each URL on the way is checked like the first one. */
async function follow(
  start: string,
  hosts: readonly string[],
  signal: AbortSignal,
  options: FetchMediaOptions,
): Promise<Response> {
  let url = parse(start);
  for (let hops = 0; hops <= REDIRECTS_MAX; hops += 1) {
    if (!isAllowed(url, hosts, options)) throw refusalOf(url, hops > 0);
    const answer = await get(url, hosts, signal, options);
    const location = answer.headers.get('Location');
    if (answer.status < 300 || answer.status > 399 || !location) return requireFile(answer);
    await answer.body?.cancel();
    url = parse(encodeBytes(location), url);
  }
  throw notReady('too many redirects');
}

/** Some hosts send a URL unencoded. A header's characters are its bytes, whatever text they are meant to be. */
function encodeBytes(header: string): string {
  return header.replaceAll(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
}

function parse(text: string, base?: URL): URL {
  try {
    return new URL(text, base);
  } catch (cause) {
    throw base
      ? notReady('the redirect has no valid URL')
      : new MediaFetchError('the file has no valid URL', { isFinal: true, cause });
  }
}

function isAllowed(url: URL, hosts: readonly string[], options: FetchMediaOptions): boolean {
  const isSecure = url.protocol === 'https:' || (mayBePrivate(url, options) && url.protocol === 'http:');
  const isKnown = isProviders(url, hosts) || (isExtra(url, options) && isSecure);
  return isKnown && url.username === '' && url.password === '';
}

function isExtra(url: URL, { extraHosts }: FetchMediaOptions): boolean {
  return extraHosts.some((host) => host === url.host || host === `${url.hostname}:${portOf(url)}`);
}

function isProviders({ protocol, port, hostname }: URL, hosts: readonly string[]): boolean {
  return protocol === 'https:' && port === '' && hosts.some((host) => matchesHost(host, hostname));
}

function mayBePrivate(url: URL, options: FetchMediaOptions): boolean {
  return isExtra(url, options) && options.extraMayBePrivate;
}

/** A host that has no file yet may redirect to a page of another site. That page is not requested. */
function refusalOf({ protocol, host, hostname }: URL, isRedirect: boolean): MediaFetchError {
  const isElsewhere = isRedirect && protocol === 'https:' && mayBePublic(hostname);
  const options = isElsewhere ? { isFinal: false, isNotReady: true } : { isFinal: true };
  return new MediaFetchError(`${protocol}//${host} is no host of the provider`, options);
}

function get(url: URL, hosts: readonly string[], signal: AbortSignal, options: FetchMediaOptions): Promise<Response> {
  if (options.get && isProviders(url, hosts)) return options.get(url, signal);
  const { lookup, fetch } = options;
  return ssrfSafeGet(url, { signal, mayBePrivate: mayBePrivate(url, options), fetch, ...(lookup && { lookup }) });
}

/** `*.` matches every host below a domain. */
function matchesHost(pattern: string, hostname: string): boolean {
  return pattern.startsWith('*.') ? hostname.endsWith(pattern.slice(1)) : hostname === pattern;
}

function portOf({ port, protocol }: URL): string {
  return port || (protocol === 'https:' ? '443' : '80');
}

/** Statuses of a host that is busy or broken: it is asked again for as long as the file is wanted. */
const BUSY = new Set([408, 425, 429]);

async function requireFile(answer: Response): Promise<Response> {
  const { status, headers, body } = answer;
  if (body && (status === 200 || status === 203 || (status === 206 && isWhole(headers.get('Content-Range')))))
    return answer;
  await body?.cancel();
  const message = `the file's host answered ${status}`;
  // Not there yet, or an expired URL: the provider returns a new URL when it is polled again.
  throw status >= 500 || BUSY.has(status) ? new MediaFetchError(message, { isFinal: false }) : notReady(message);
}

/** Whether the range is all of the file: `bytes 0-99/100`. Some hosts answer so though no range was asked for. */
function isWhole(range: string | null): boolean {
  const [, end, size] = /^\s*bytes\s+0-(\d{1,15})\/(\d{1,15})\s*$/i.exec(range ?? '') ?? [];
  return size !== undefined && Number(end) + 1 === Number(size);
}

/** The size that the answer announces, if it is that of the bytes that are read: a runtime's fetch decodes a coded body. */
function announcedBytes({ status, headers }: Response): number {
  if (status === 206) return Number(headers.get('Content-Range')?.split('/').at(-1));
  const isCoded = !['', 'identity'].includes(headers.get('Content-Encoding')?.trim().toLowerCase() ?? '');
  return isCoded ? Number.NaN : Number(headers.get('Content-Length') ?? Number.NaN);
}

async function save(
  answer: Response,
  path: string,
  bytesMax: number,
  signal: AbortSignal,
  onBytes: () => void,
): Promise<number> {
  const declared = announcedBytes(answer);
  const tooLarge = () => new MediaFetchError(`the file is larger than ${bytesMax} bytes`, { isFinal: true });
  if (declared > bytesMax) {
    await answer.body?.cancel();
    throw tooLarge();
  }
  await using file = await openFile(path, 'w', 0o600);
  let bytes = 0;
  for await (const piece of piecesOf(answer, signal)) {
    bytes += piece.length;
    if (bytes > bytesMax) throw tooLarge();
    await file.writeFile(piece);
    onBytes();
    if (Math.floor(bytes / COLLECT_BYTES) > Math.floor((bytes - piece.length) / COLLECT_BYTES)) collectYoung();
  }
  if (!Number.isNaN(declared) && bytes !== declared) {
    throw new MediaFetchError(`the file ended after ${bytes} of ${declared} bytes`, { isFinal: false });
  }
  return bytes;
}

/** Yields the body until the signal aborts, even if the source of the body ignores the signal. */
async function* piecesOf({ body }: Response, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader();
  if (!reader) return;
  // Ends the pending read. It is not awaited: a source may never finish its cancellation.
  const cancel = () => void reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener('abort', cancel, { once: true });
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) return;
      yield value;
    }
  } finally {
    signal.removeEventListener('abort', cancel);
    cancel();
  }
}

function toFetchError(error: unknown): MediaFetchError {
  if (error instanceof ForbiddenHost) return new MediaFetchError(error.message, { isFinal: true, cause: error });
  return new MediaFetchError(`the file cannot be fetched (${errorLabel(error)})`, { isFinal: false, cause: error });
}
