/** A GET that connects to public addresses alone: a name is looked up once, judged, and that very address is used. */
import { lookup as lookUp } from 'node:dns/promises';
import type { IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import ipaddr from 'ipaddr.js';

export type Lookup = (hostname: string) => Promise<string[]>;

export type GetOptions = {
  signal: AbortSignal;
  /** Hosts of this network on purpose, such as a simulator's. */
  mayBePrivate: boolean;
  lookup?: Lookup;
  /**
   * For runtimes whose HTTP client cannot be told which address to use. Every address of the name is judged then, and TLS
   * ties it to whoever answers: an inner service has no certificate of a provider's.
   */
  fetch?: typeof fetch | undefined;
};

const HEADERS = { 'User-Agent': 'rendio', Accept: 'video/*, image/*', 'Accept-Encoding': 'identity' };

/** What has no business being connected to from the outside's word. */
export class ForbiddenAddress extends Error {}

/** Resolves with the head of the answer, its body unread. Redirects are answers like any other. */
export async function guardedGet(url: URL, options: GetOptions): Promise<Response> {
  const { signal, mayBePrivate, lookup = lookUpAll } = options;
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const addresses = ipaddr.isValid(hostname) ? [hostname] : await lookup(hostname);
  const allowed = addresses.filter((each) => mayBePrivate || isPublic(each));
  const [address] = allowed;
  if (!address) throw new ForbiddenAddress(`${hostname} has no public address`);
  if (options.fetch && allowed.length < addresses.length) {
    throw new ForbiddenAddress(`${hostname} has private addresses, too`);
  }
  if (options.fetch) return options.fetch(url, { signal, headers: HEADERS, redirect: 'manual' });
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const family = ipaddr.parse(address).kind() === 'ipv6' ? 6 : 4;
  const message = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request(url, {
      signal,
      agent: false,
      headers: HEADERS,
      // Answers what was judged, not what the name may mean a moment later.
      lookup: (_hostname, wanted, done) =>
        wanted.all ? done(null, [{ address, family }]) : done(null, address, family),
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

async function lookUpAll(hostname: string): Promise<string[]> {
  return (await lookUp(hostname, { all: true })).map(({ address }) => address);
}

/** Whether an address is one of the open internet, also when it is an IPv4 one in IPv6's clothes. */
export function isPublic(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'unicast';
}
