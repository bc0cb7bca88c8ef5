import type { HttpContext } from './env.ts';

/** What an address that cannot be read counts as: one bucket for all of them, and a value that `inet` takes. */
export const UNKNOWN_ADDRESS = '0.0.0.0';

const FORWARDED_CHARACTERS_MAX = 2000;

/**
 * The address that limits count by: IPv4 as it is, IPv6 as its /64 (`2001:db8:1:2::/64`). It is the socket's, or with
 * `trustedProxyHops` the so many-th entry of `X-Forwarded-For` from the right. What cannot be read gives the socket's.
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
  if (v4 !== undefined) return octetsOf(v4)?.join('.') ?? null;
  const v6 = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(entry)?.[1] ?? entry;
  const groups = groupsOf(v6.replace(/%[a-z0-9._-]+$/, ''));
  if (groups === null) return null;
  return mappedV4(groups) ?? prefix64(groups);
}

function octetsOf(text: string): number[] | null {
  const parts = text.split('.');
  const isAddress =
    parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
  return isAddress ? parts.map(Number) : null;
}

/** The eight 16-bit groups of an IPv6 address. */
function groupsOf(text: string): number[] | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head, tail] = halves.map((half, index) => readGroups(half, index === halves.length - 1));
  if (!head || tail === null) return null;
  if (tail === undefined) return head.length === 8 ? head : null;
  const missing = 8 - head.length - tail.length;
  return missing >= 1 ? [...head, ...Array<number>(missing).fill(0), ...tail] : null;
}

/** Groups between colons; the last of an address may be an IPv4 address, which is two. */
function readGroups(text: string, isEnd: boolean): number[] | null {
  if (text === '') return [];
  const parts = text.split(':');
  const octets = isEnd ? octetsOf(parts.at(-1) ?? '') : null;
  const hex = octets ? parts.slice(0, -1) : parts;
  if (!hex.every((part) => /^[0-9a-f]{1,4}$/.test(part))) return null;
  const [a = 0, b = 0, c = 0, d = 0] = octets ?? [];
  return [...hex.map((part) => Number.parseInt(part, 16)), ...(octets ? [a * 256 + b, c * 256 + d] : [])];
}

function mappedV4(groups: number[]): string | null {
  const [, , , , , marker, high = 0, low = 0] = groups;
  if (marker !== 0xffff || groups.slice(0, 5).some((group) => group !== 0)) return null;
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** The network that one household or phone holds, in the form PostgreSQL prints it. */
function prefix64(groups: number[]): string {
  const network = groups.slice(0, 4);
  while (network.at(-1) === 0) network.pop();
  const head = network.map((group) => group.toString(16)).join(':');
  return `${head}::/64`;
}

/** Tells the address of a request's sender; made by the entry, which alone knows the runtime's socket. */
export type AddressReader = (c: HttpContext) => string;
