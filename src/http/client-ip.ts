import ipaddr from 'ipaddr.js';
import type { HttpContext } from './env.ts';

/** Stands for every IP address that cannot be read; they share one rate limit. PostgreSQL's `inet` accepts it. */
export const UNKNOWN_IP = '0.0.0.0';

/** Returns the IP address that rate limits count a request under. Made in src/entry, which knows the runtime's socket. */
export type IpReader = (c: HttpContext) => string;

const FORWARDED_CHARACTERS_MAX = 2000;

/**
 * Returns the IP address that rate limits count: IPv4 unchanged, IPv6 as its /64 (`2001:db8:1:2::/64`), which one household
 * or phone has. With `trustedProxyHops` it is that entry of `X-Forwarded-For`, counted from the right; without it, or if the
 * entry cannot be read, it is the socket's.
 */
export function clientIp(
  socketIp: string | undefined,
  xForwardedFor: string | undefined,
  trustedProxyHops: number,
): string {
  const socket = canonicalIp(socketIp ?? '') ?? UNKNOWN_IP;
  if (trustedProxyHops < 1 || !xForwardedFor) return socket;
  const entries = xForwardedFor.slice(-FORWARDED_CHARACTERS_MAX).split(',');
  return canonicalIp(entries.at(-trustedProxyHops) ?? '') ?? socket;
}

/** Reads what proxies write: `1.2.3.4`, `1.2.3.4:5678`, `2001:db8::1`, `[2001:db8::1]:5678`, `fe80::1%eth0`. Else null. */
function canonicalIp(text: string): string | null {
  const entry = text.trim().toLowerCase();
  const v4 = /^([\d.]+)(?::\d{1,5})?$/.exec(entry)?.[1];
  if (v4 !== undefined) return ipaddr.IPv4.isValidFourPartDecimal(v4) ? v4 : null;
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(entry)?.[1] ?? entry;
  const v6 = bracketed.replace(/%[a-z0-9._-]+$/, '');
  const url = `http://[${v6}]/`;
  if (!/^[0-9a-f:.]+$/.test(v6) || !URL.canParse(url)) return null;
  // The URL parser accepts every form of an IPv6 address and writes it in one form.
  const ip = ipaddr.IPv6.parse(new URL(url).hostname.slice(1, -1));
  if (ip.isIPv4MappedAddress()) return ip.toIPv4Address().toString();
  // In the form that PostgreSQL prints.
  const network = new ipaddr.IPv6([...ip.parts.slice(0, 4), 0, 0, 0, 0]);
  return `${network.toRFC5952String()}/64`;
}
