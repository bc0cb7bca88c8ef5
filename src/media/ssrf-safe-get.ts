/**
 * A GET request that connects only to public IP addresses: the host name is resolved once, its IP addresses are checked, and
 * the connection uses the one that was checked.
 */
import { lookup as lookUp } from 'node:dns/promises';
import type { IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import ipaddr from 'ipaddr.js';

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

/** The host resolves to IP addresses that a URL from outside must not lead to. */
export class ForbiddenHost extends Error {}

/** Resolves when the headers have arrived, with the body unread. Redirects are returned and not followed. */
export async function ssrfSafeGet(url: URL, options: GetOptions): Promise<Response> {
  const { signal, mayBePrivate, lookup = resolveAll } = options;
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const ips = ipaddr.isValid(hostname) ? [hostname] : await lookup(hostname);
  const allowed = ips.filter((each) => mayBePrivate || isPublicIp(each));
  const [ip] = allowed;
  if (!ip) throw new ForbiddenHost(`${hostname} has no public IP address`);
  if (options.fetch && allowed.length < ips.length) {
    throw new ForbiddenHost(`${hostname} also has private IP addresses`);
  }
  if (options.fetch) return options.fetch(url, { signal, headers: HEADERS, redirect: 'manual' });
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const family = ipaddr.parse(ip).kind() === 'ipv6' ? 6 : 4;
  const message = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request(url, {
      signal,
      agent: false,
      headers: HEADERS,
      // Returns the IP address that was checked: by now, the name may resolve to another one.
      lookup: (_hostname, wanted, done) =>
        wanted.all ? done(null, [{ address: ip, family }]) : done(null, ip, family),
    });
    outgoing.once('response', resolve).once('error', reject).end();
  });
  const headers = new Headers();
  for (const [name, value] of Object.entries(message.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  const status = message.statusCode ?? 502;
  if ([204, 205, 304].includes(status)) {
    message.resume();
    return new Response(null, { status, headers });
  }
  return new Response(Readable.toWeb(message) as ReadableStream<Uint8Array>, { status, headers });
}

async function resolveAll(hostname: string): Promise<string[]> {
  return (await lookUp(hostname, { all: true })).map(({ address }) => address);
}

/** Whether an IP address is public. An IPv4-mapped IPv6 address counts as its IPv4 address. */
export function isPublicIp(ip: string): boolean {
  return ipaddr.isValid(ip) && ipaddr.process(ip).range() === 'unicast';
}
