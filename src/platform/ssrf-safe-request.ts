/**
 * A request that connects only to public IP addresses: the host name is resolved once, its IP addresses are checked, and the
 * connection uses those that were checked.
 */
import { lookup as lookUp } from 'node:dns/promises';
import type { IncomingMessage } from 'node:http';
import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import ipaddr from 'ipaddr.js';
import { isPublicIp } from '../kernel/public-ip.ts';

export type Lookup = (hostname: string) => Promise<string[]>;

/** How the connection is made. */
export type SafeConnection = {
  signal: AbortSignal;
  /** Allows hosts of this network, such as a simulator. */
  mayBePrivate: boolean;
  lookup?: Lookup;
  /**
   * For runtimes whose HTTP client cannot be told which IP address to use. Then all IP addresses of the name are checked, and
   * TLS verifies the server: an internal service has no certificate for the name of another host.
   */
  fetch?: typeof fetch | undefined;
};

export type SafeRequest = SafeConnection & {
  headers: Record<string, string>;
  /** Sent by POST; without one the request is a GET. */
  body?: string;
  /** Undoes the content coding, and removes from the headers what was true of the coded body. `fetch` does that by itself. */
  decode?: (message: IncomingMessage, headers: Headers) => Readable;
};

/** Node's 250 ms are too short for a host on another continent. */
const CONNECT_TO_ONE_IP_MS = 3_000;
/** Some networks add more headers than the 16 kB that Node reads. */
const HEADER_BYTES_MAX = 64 * 1024;

/** The host resolves to IP addresses that a URL from outside must not lead to. */
export class ForbiddenHost extends Error {}

/** Resolves when the headers have arrived, with the body unread. Redirects are returned and not followed. */
export async function ssrfSafeRequest(url: URL, options: SafeRequest): Promise<Response> {
  const { signal, mayBePrivate, lookup = resolveAll, headers, body } = options;
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const ips = ipaddr.isValid(hostname) ? [hostname] : await unlessAborted(lookup(hostname), signal);
  const allowed = ips.filter((each) => mayBePrivate || isPublicIp(each));
  if (allowed.length === 0) throw new ForbiddenHost(`${hostname} has no public IP address`);
  if (options.fetch && allowed.length < ips.length) {
    throw new ForbiddenHost(`${hostname} also has private IP addresses`);
  }
  if (options.fetch) {
    const init = { signal, headers, redirect: 'manual' as const };
    return options.fetch(url, body === undefined ? init : { ...init, method: 'POST', body });
  }
  return responseOf(await send(url, allowed, options), options);
}

function send(url: URL, ips: readonly string[], { signal, headers, body }: SafeRequest): Promise<IncomingMessage> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const addresses = ips.map((address) => ({ address, family: ipaddr.parse(address).kind() === 'ipv6' ? 6 : 4 }));
  const [first] = addresses;
  const options: RequestOptions & { autoSelectFamilyAttemptTimeout: number } = {
    signal,
    agent: false,
    method: body === undefined ? 'GET' : 'POST',
    headers,
    // Some hosts' HTTP is not quite valid. A connection carries one response here, so none can be taken for another's.
    insecureHTTPParser: true,
    maxHeaderSize: HEADER_BYTES_MAX,
    autoSelectFamilyAttemptTimeout: CONNECT_TO_ONE_IP_MS,
    // Returns the IP addresses that were checked: by now, the name may resolve to others.
    lookup: (_hostname, wanted, done) =>
      wanted.all ? done(null, addresses) : done(null, first?.address ?? '', first?.family),
  };
  return new Promise((resolve, reject) => {
    // A host that answers before it has read the body may cause a further error, which must have a listener too.
    request(url, options).once('response', resolve).on('error', reject).end(body);
  });
}

function responseOf(message: IncomingMessage, { decode }: SafeRequest): Response {
  const headers = new Headers();
  for (const [name, value] of Object.entries(message.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  const status = message.statusCode ?? 502;
  if ([204, 205, 304].includes(status)) {
    message.resume();
    return new Response(null, { status, headers });
  }
  const body = decode?.(message, headers) ?? message;
  return new Response(Readable.toWeb(body) as ReadableStream<Uint8Array>, { status, headers });
}

/** A name server that does not answer holds one of the process' few threads: once for each name, however many ask. */
const lookups = new Map<string, Promise<string[]>>();

function resolveAll(hostname: string): Promise<string[]> {
  const found =
    lookups.get(hostname) ?? lookUp(hostname, { all: true }).then((all) => all.map(({ address }) => address));
  lookups.set(hostname, found);
  const forget = () => void lookups.delete(hostname);
  found.then(forget, forget);
  return found;
}

/** A lookup cannot be aborted, but it need not be waited for. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
