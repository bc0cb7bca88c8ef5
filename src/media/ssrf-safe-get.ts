/**
 * A GET request that connects only to public IP addresses: the host name is resolved once, its IP addresses are checked, and
 * the connection uses those that were checked.
 */
import { lookup as lookUp } from 'node:dns/promises';
import type { IncomingMessage } from 'node:http';
import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import ipaddr from 'ipaddr.js';
import { decodeContent } from './decode-content.ts';
import { isPublicIp } from './public-ip.ts';

export type Lookup = (hostname: string) => Promise<string[]>;

export type GetOptions = {
  signal: AbortSignal;
  /** Allows hosts of this network, such as a simulator. */
  mayBePrivate: boolean;
  lookup?: Lookup;
  /**
   * For runtimes whose HTTP client cannot be told which IP address to use. Then all IP addresses of the name are checked, and
   * TLS verifies the server: an internal service has no certificate for a provider's name.
   */
  fetch?: typeof fetch | undefined;
};

const HEADERS = { 'User-Agent': 'rendio', Accept: 'video/*, image/*', 'Accept-Encoding': 'identity' };
/** Node's 250 ms are too short for a host on another continent. */
const CONNECT_TO_ONE_IP_MS = 3_000;
/** Some networks add more headers than the 16 kB that Node reads. */
const HEADER_BYTES_MAX = 64 * 1024;

/** The host resolves to IP addresses that a URL from outside must not lead to. */
export class ForbiddenHost extends Error {}

/**
 * Resolves when the headers have arrived, with the body unread and without its content coding. Redirects are returned and not
 * followed.
 */
export async function ssrfSafeGet(url: URL, options: GetOptions): Promise<Response> {
  const { signal, mayBePrivate, lookup = resolveAll } = options;
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const ips = ipaddr.isValid(hostname) ? [hostname] : await lookup(hostname);
  const allowed = ips.filter((each) => mayBePrivate || isPublicIp(each));
  if (allowed.length === 0) throw new ForbiddenHost(`${hostname} has no public IP address`);
  if (options.fetch && allowed.length < ips.length) {
    throw new ForbiddenHost(`${hostname} also has private IP addresses`);
  }
  if (options.fetch) return options.fetch(url, { signal, headers: HEADERS, redirect: 'manual' });
  return responseOf(await send(url, allowed, signal));
}

function send(url: URL, ips: readonly string[], signal: AbortSignal): Promise<IncomingMessage> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const addresses = ips.map((address) => ({ address, family: ipaddr.parse(address).kind() === 'ipv6' ? 6 : 4 }));
  const [first] = addresses;
  const options: RequestOptions & { autoSelectFamilyAttemptTimeout: number } = {
    signal,
    agent: false,
    headers: HEADERS,
    // Some hosts' HTTP is not quite valid. A connection carries one response here, so none can be taken for another's.
    insecureHTTPParser: true,
    maxHeaderSize: HEADER_BYTES_MAX,
    autoSelectFamilyAttemptTimeout: CONNECT_TO_ONE_IP_MS,
    // Returns the IP addresses that were checked: by now, the name may resolve to others.
    lookup: (_hostname, wanted, done) =>
      wanted.all ? done(null, addresses) : done(null, first?.address ?? '', first?.family),
  };
  return new Promise((resolve, reject) => {
    request(url, options).once('response', resolve).once('error', reject).end();
  });
}

function responseOf(message: IncomingMessage): Response {
  const headers = new Headers();
  for (const [name, value] of Object.entries(message.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  const status = message.statusCode ?? 502;
  if ([204, 205, 304].includes(status)) {
    message.resume();
    return new Response(null, { status, headers });
  }
  const body = decodeContent(message, headers);
  return new Response(Readable.toWeb(body) as ReadableStream<Uint8Array>, { status, headers });
}

async function resolveAll(hostname: string): Promise<string[]> {
  return (await lookUp(hostname, { all: true })).map(({ address }) => address);
}
