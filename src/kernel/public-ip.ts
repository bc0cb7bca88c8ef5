import ipaddr from 'ipaddr.js';

/** All addresses of the public internet begin with these three bits. */
const GLOBAL = { mask: 0xe000, value: 0x2000 };
/** The well-known prefix by which a network without IPv4 reaches IPv4 addresses. */
const NAT64 = [0x64, 0xff9b, 0, 0, 0, 0];
const MAPPED = [0, 0, 0, 0, 0, 0xffff];

/**
 * Whether an IP address is public. An IPv6 address that stands for an IPv4 address, in a form that is in use today, counts as
 * that one; all others that contain one, such as `::7f00:1`, are not public.
 */
export function isPublicIp(ip: string): boolean {
  if (ipaddr.IPv4.isValidFourPartDecimal(ip)) return ipaddr.IPv4.parse(ip).range() === 'unicast';
  if (!ipaddr.IPv6.isValid(ip)) return false;
  const parsed = ipaddr.IPv6.parse(ip);
  if (parsed.zoneId !== undefined && parsed.zoneId !== '') return false;
  const { parts } = parsed;
  const startsWith = (prefix: readonly number[]) => prefix.every((part, at) => parts[at] === part);
  if (startsWith(MAPPED) || startsWith(NAT64)) return isPublicIp(lastIpv4In(parts));
  const isGlobal = ((parts[0] ?? 0) & GLOBAL.mask) === GLOBAL.value && parsed.range() === 'unicast';
  return isGlobal && (!isIsatap(parts) || isPublicIp(lastIpv4In(parts)));
}

/** Whether a URL's host may be public: a public IP address, or a name that is not one of this machine or network. */
export function mayBePublic(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  return ipaddr.isValid(host) ? isPublicIp(host) : host.includes('.') && !host.endsWith('.localhost');
}

function lastIpv4In(parts: readonly number[]): string {
  const [high = 0, low = 0] = parts.slice(-2);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** A tunnel to the IPv4 address at its end. */
function isIsatap(parts: readonly number[]): boolean {
  return parts[5] === 0x5efe && ((parts[4] ?? 0) & ~0x0200) === 0;
}
