import type { HttpContext } from './env.ts';

/** Several times the length of a chain of proxies; of a longer header the end counts, which the nearest proxies wrote. */
const HEADER_CHARACTERS_MAX = 2000;
const HOST = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;

/** Returns the base of the URLs in responses: the configured public URL, else what `requestOrigin` says. */
export function originOf(c: HttpContext): string {
  return c.get('origin');
}

/**
 * Returns the origin at which the caller reaches this server. With `trustedProxyHops`, scheme and host are those that the
 * outermost trusted proxy was asked for, as far as it says so and they are well-formed; else they are those of the request.
 */
export function requestOrigin({ url, headers }: Request, trustedProxyHops: number): string {
  const own = new URL(url);
  if (trustedProxyHops < 1) return own.origin;
  const told = (name: 'proto' | 'host') =>
    entryOf(headers.get(`X-Forwarded-${name}`), trustedProxyHops) ??
    parameterOf(entryOf(headers.get('Forwarded'), trustedProxyHops), name);
  const scheme = /^https?$/i.exec(told('proto') ?? '')?.[0] ?? own.protocol.slice(0, -1);
  const host = HOST.exec(told('host') ?? '')?.[0] ?? own.host;
  const origin = `${scheme}://${host}`;
  return URL.canParse(origin) ? new URL(origin).origin : own.origin;
}

/** Of a comma-separated list the entry of the outermost trusted proxy: some proxies append theirs, others replace the list. */
function entryOf(header: string | null, trustedProxyHops: number): string | undefined {
  const entries = (header ?? '').slice(-HEADER_CHARACTERS_MAX).split(',');
  const given = entries.map((entry) => entry.trim()).filter((entry) => entry !== '');
  return given.at(-trustedProxyHops) ?? given[0];
}

/** A parameter of an entry of `Forwarded` (RFC 7239), such as `for=192.0.2.1;proto=https;host="example.com"`. */
function parameterOf(entry: string | undefined, name: string): string | undefined {
  const [, quoted, plain] = new RegExp(`(?:^|;)\\s*${name}=(?:"([^"]*)"|([^;\\s]*))`, 'i').exec(entry ?? '') ?? [];
  return quoted ?? plain;
}
