import ipaddr from 'ipaddr.js';
import type { HttpContext } from './env.ts';

/** What an IP address that cannot be read counts as: one bucket for all of them, and a value that `inet` takes. */
export const UNKNOWN_ADDRESS = '0.0.0.0';

/** Returns the IP address that a request's limits count by. Made by the entry, which alone knows the runtime's socket. */
export type AddressReader = (c: HttpContext) => string;

const FORWARDED_CHARACTERS_MAX = 2000;

/**
 * The IP address that limits count by: IPv4 as it is, IPv6 as its /64 (`2001:db8:1:2::/64`), which one household or phone
 * holds. It is the socket's or, with `trustedProxyHops`, that entry of `X-Forwarded-For`, counted from the right. Where the
 * entry cannot be read, the socket's.
 */
export function clientAddress(
  socketAddress: string | undefined,
  xForwardedFor: string | undefined,
  trustedProxyHops: number,
): string {
  const socket = canonicalAddress(socketAddress ?? '') ?? UNKNOWN_ADDRESS;
  if (trustedProxyHops < 1 || !xForwardedFor) return socket;
  const entries = xForwardedFor.slice(-FORWARDED_CHARACTERS_MAX).split(',');
  return canonicalAddress(entries.at(-trustedProxyHops) ?? '') ?? socket;
}

/** Proxies write `1.2.3.4`, `1.2.3.4:5678`, `2001:db8::1`, `[2001:db8::1]:5678` or `fe80::1%eth0`. Null for all else. */
function canonicalAddress(text: string): string | null {
  const entry = text.trim().toLowerCase();
  const v4 = /^([\d.]+)(?::\d{1,5})?$/.exec(entry)?.[1];
  if (v4 !== undefined) return ipaddr.IPv4.isValidFourPartDecimal(v4) ? v4 : null;
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(entry)?.[1] ?? entry;
  const v6 = bracketed.replace(/%[a-z0-9._-]+$/, '');
  const url = `http://[${v6}]/`;
  if (!/^[0-9a-f:.]+$/.test(v6) || !URL.canParse(url)) return null;
  // In the URL parser's spelling: it knows every form of an IPv6 address.
  const address = ipaddr.IPv6.parse(new URL(url).hostname.slice(1, -1));
  if (address.isIPv4MappedAddress()) return address.toIPv4Address().toString();
  // As PostgreSQL prints it.
  const network = new ipaddr.IPv6([...address.parts.slice(0, 4), 0, 0, 0, 0]);
  return `${network.toRFC5952String()}/64`;
}
