import ipaddr from 'ipaddr.js';

/** Whether the host, as in a URL or in HOST, is this machine itself. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (address === 'localhost' || address.endsWith('.localhost')) return true;
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';
}

/** What a runtime knows of a request's connection: the IP address at its other end, and what proxies have added. */
export type Origin = { socketIp: string | undefined; xForwardedFor: string | undefined; trustedProxyHops: number };

/** Whether a request comes from this machine itself. Where proxies are trusted, one that passed any of them does not. */
export function isLocalCall({ socketIp, xForwardedFor, trustedProxyHops }: Origin): boolean {
  if (trustedProxyHops > 0 && xForwardedFor !== undefined) return false;
  return socketIp !== undefined && isLoopback(socketIp.replace(/%.*$/, ''));
}
