/** Brings a finished file from a provider's host to this machine, as a stream, and from nowhere else. */
import { rm } from 'node:fs/promises';
import { errorLabel } from '../kernel/error-code.ts';
import { collectYoung } from '../platform/garbage-collection.ts';
import { ForbiddenAddress, guardedGet, type Lookup } from './guarded-get.ts';
import { openFile } from './open-file.ts';

export type FetchMediaOptions = {
  /** `host[:port]`s beside the provider's own, from the configuration. */
  extraHosts: readonly string[];
  /** Whether those may be plain http and private addresses: outside production alone. */
  extraMayBePrivate: boolean;
  bytesMax: number;
  /** A transfer that brings nothing for so long is given up. */
  stallMs: number;
  lookup?: Lookup;
  /** See `GetOptions`. */
  fetch?: typeof fetch | undefined;
  /** Stands in for the network: a simulator inside this process. */
  get?: (url: URL, signal: AbortSignal) => Promise<Response>;
};

export type MediaFetcher = {
  /** Writes the file to `path`, which it replaces; resolves with its size. Throws a `MediaFetchError`, leaving no file. */
  fetchToFile(url: string, path: string, hosts: readonly string[], signal: AbortSignal): Promise<{ bytes: number }>;
};

/** `isFinal`: asking again brings nothing else. `message` is for our log. */
export class MediaFetchError extends Error {
  readonly isFinal: boolean;

  constructor(message: string, options: { isFinal: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.isFinal = options.isFinal;
  }
}

const REDIRECTS_MAX = 5;
/** So much of a stream may be garbage at a time. */
const COLLECT_BYTES = 8 * 1024 * 1024;

export function createMediaFetcher(options: FetchMediaOptions): MediaFetcher {
  return {
    async fetchToFile(url, path, hosts, signal) {
      const stall = new AbortController();
      const giveUp = () => stall.abort(new MediaFetchError('the transfer stalled', { isFinal: false }));
      const watch = setTimeout(giveUp, options.stallMs);
      const limits = AbortSignal.any([signal, stall.signal]);
      try {
        const answer = await follow(url, hosts, limits, options);
        return { bytes: await save(answer, path, options.bytesMax, limits, () => watch.refresh()) };
      } catch (error) {
        await rm(path, { force: true });
        signal.throwIfAborted();
        if (stall.signal.aborted) throw stall.signal.reason;
        throw error instanceof MediaFetchError ? error : judge(error);
      } finally {
        clearTimeout(watch);
      }
    },
  };
}

/** The answer at the end of the redirects, each of which is judged like the first address. */
async function follow(
  start: string,
  hosts: readonly string[],
  signal: AbortSignal,
  options: FetchMediaOptions,
): Promise<Response> {
  let url = parse(start);
  for (let hops = 0; hops <= REDIRECTS_MAX; hops += 1) {
    const answer = await get(url, hosts, signal, options);
    const location = answer.headers.get('Location');
    if (answer.status < 300 || answer.status > 399 || !location) return accept(answer);
    await answer.body?.cancel();
    url = parse(location, url);
  }
  throw new MediaFetchError('too many redirects', { isFinal: true });
}

function parse(text: string, base?: URL): URL {
  try {
    return new URL(text, base);
  } catch (cause) {
    throw new MediaFetchError('the address of the file is none', { isFinal: true, cause });
  }
}

function get(url: URL, hosts: readonly string[], signal: AbortSignal, options: FetchMediaOptions): Promise<Response> {
  const isExtra = options.extraHosts.some((host) => host === url.host || host === `${url.hostname}:${portOf(url)}`);
  const isProviders = url.protocol === 'https:' && url.port === '' && hosts.some((host) => covers(host, url.hostname));
  const mayBePrivate = isExtra && options.extraMayBePrivate;
  const isAllowed =
    isProviders || (isExtra && (url.protocol === 'https:' || (mayBePrivate && url.protocol === 'http:')));
  if (!isAllowed || url.username || url.password) {
    throw new MediaFetchError(`${url.protocol}//${url.host} is no host of the provider`, { isFinal: true });
  }
  if (options.get && isProviders) return options.get(url, signal);
  const { lookup, fetch } = options;
  return guardedGet(url, { signal, mayBePrivate, fetch, ...(lookup && { lookup }) });
}

/** `*.` stands for every host below a domain. */
function covers(pattern: string, hostname: string): boolean {
  return pattern.startsWith('*.') ? hostname.endsWith(pattern.slice(1)) : hostname === pattern;
}

function portOf({ port, protocol }: URL): string {
  return port || (protocol === 'https:' ? '443' : '80');
}

async function accept(answer: Response): Promise<Response> {
  if (answer.status === 200 && answer.body) return answer;
  await answer.body?.cancel();
  // A signed address that has run out is 403, and the provider gives a new one when it is asked again.
  const isFinal = [400, 404, 405, 410, 451].includes(answer.status);
  throw new MediaFetchError(`the file's host answered ${answer.status}`, { isFinal });
}

async function save(
  answer: Response,
  path: string,
  bytesMax: number,
  signal: AbortSignal,
  onBytes: () => void,
): Promise<number> {
  const promised = Number(answer.headers.get('Content-Length') ?? Number.NaN);
  const tooLarge = () => new MediaFetchError(`the file is larger than ${bytesMax} bytes`, { isFinal: true });
  if (promised > bytesMax) {
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
  if (!Number.isNaN(promised) && bytes !== promised) {
    throw new MediaFetchError(`the file ended after ${bytes} of ${promised} bytes`, { isFinal: false });
  }
  return bytes;
}

/** The body, for as long as the signal allows: also where its source does not listen to the signal, or has stopped to. */
async function* piecesOf({ body }: Response, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader();
  if (!reader) return;
  // Ends the read that is waiting. Nobody waits for a source that says it stops, and does not.
  const letGo = () => void reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener('abort', letGo, { once: true });
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) return;
      yield value;
    }
  } finally {
    signal.removeEventListener('abort', letGo);
    letGo();
  }
}

function judge(error: unknown): MediaFetchError {
  if (error instanceof ForbiddenAddress) return new MediaFetchError(error.message, { isFinal: true, cause: error });
  return new MediaFetchError(`the file cannot be fetched (${errorLabel(error)})`, { isFinal: false, cause: error });
}
