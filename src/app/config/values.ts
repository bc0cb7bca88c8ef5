/** Schemas of the values of variables. A message says what is wrong without repeating the value. */
import { z } from 'zod';
import { isDatabaseUrl } from '../../db/hosts.ts';

const LOCAL_NAME = /^[a-z0-9.:[\]_-]+$/i;

function parsedUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** Decimal digits, within both bounds. */
export function integer(min: number, max: number) {
  return z
    .string()
    .refine((text) => /^\d{1,15}$/.test(text) && Number(text) >= min && Number(text) <= max, {
      error: `must be a whole number from ${min} to ${max}`,
    })
    .transform(Number);
}

/** A decimal number from 0 to 1. */
export function share() {
  return z
    .string()
    .refine((text) => /^(?:0?\.\d{1,15}|[01](?:\.\d{1,15})?)$/.test(text) && Number(text) <= 1, {
      error: 'must be a number from 0 to 1',
    })
    .transform(Number);
}

/** OpenTelemetry knows gRPC too, which needs a library of its own. */
export function otlpProtocol() {
  return oneOf(['http/protobuf', 'http/json']);
}

export function oneOf<const T extends string>(values: readonly T[]) {
  return z.enum(values, { error: `must be ${listOf(values)}` });
}

/** `a, b or c`. */
export function listOf(choices: readonly string[]): string {
  return [choices.slice(0, -1).join(', '), ...choices.slice(-1)].filter((part) => part !== '').join(' or ');
}

/** An id that a vendor issued: letters, digits, `-` and `_`. */
export function vendorId() {
  return z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, { error: 'must be letters, digits, "-" and "_" alone' });
}

/** An http(s) URL that is called without a change. */
export function webUrl() {
  return z.string().refine((text) => /^https?:$/.test(parsedUrl(text)?.protocol ?? ''), {
    error: 'must be an http(s) URL',
  });
}

export function postgresUrl() {
  return z.string().refine(isDatabaseUrl, {
    error:
      'must be a postgres:// or postgresql:// URL (special characters of the password percent-encoded; several hosts ' +
      'separated by commas, of which the server uses the one that takes writes)',
  });
}

/** A host name or an IP address to listen on, without scheme or port. */
export function listenHost() {
  return z.string().refine(
    (text) => {
      const host = text.includes(':') ? `[${text}]` : text;
      return /^[A-Za-z0-9.:_-]+$/.test(text) && URL.canParse(`http://${host}`);
    },
    { error: 'must be a host name or an IP address, without a scheme or a port' },
  );
}

function items(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** `host` or `host:port`, comma-separated, in lower case. */
export function hostList() {
  return z.string().transform((text, ctx) => {
    const hosts = items(text.toLowerCase());
    if (hosts.every((host) => LOCAL_NAME.test(host) && URL.canParse(`https://${host}`))) return hosts;
    ctx.addIssue({ code: 'custom', message: 'must be host or host:port, comma-separated' });
    return z.NEVER;
  });
}

/** Bundle and service ids, comma-separated. */
export function idList() {
  return z.string().transform((text, ctx) => {
    const ids = items(text);
    if (ids.every((id) => /^[A-Za-z0-9.-]{1,155}$/.test(id))) return ids;
    ctx.addIssue({ code: 'custom', message: 'must be ids of letters, digits, "." and "-", comma-separated' });
    return z.NEVER;
  });
}

/** An origin, spelled as browsers send it; undefined for what no browser sends. */
function originOf(text: string): string | undefined {
  const url = parsedUrl(text);
  const [, authority = ''] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#@]+)\/?$/i.exec(text) ?? [];
  if (!url || !LOCAL_NAME.test(authority)) return undefined;
  return url.origin === 'null' ? `${url.protocol}//${url.host}` : url.origin;
}

/** `*`, or origins, comma-separated. */
export function origins() {
  return z.string().transform((text, ctx): '*' | string[] => {
    if (text === '*') return '*';
    const found = items(text).map(originOf);
    const known = found.filter((origin) => origin !== undefined);
    if (known.length === found.length) return known;
    ctx.addIssue({ code: 'custom', message: 'must be * or origins (scheme://host[:port]), comma-separated' });
    return z.NEVER;
  });
}

const WEBHOOK_SECRET_BYTES = { min: 24, max: 64 };

/** Secrets of Standard Webhooks: `whsec_` and base64. Several, separated by spaces, while a receiver changes to another one. */
export function webhookSecrets() {
  return z.string().transform((text, ctx) => {
    const secrets = text.split(/\s+/);
    if (secrets.every(isWebhookSecret)) return secrets;
    const { min, max } = WEBHOOK_SECRET_BYTES;
    ctx.addIssue({
      code: 'custom',
      message: `must be whsec_ and the base64 of ${min} to ${max} bytes, or several of these`,
    });
    return z.NEVER;
  });
}

function isWebhookSecret(text: string): boolean {
  const [, base64] = /^whsec_((?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/.exec(text) ?? [];
  const bytes = base64 === undefined ? 0 : atob(base64).length;
  return bytes >= WEBHOOK_SECRET_BYTES.min && bytes <= WEBHOOK_SECRET_BYTES.max;
}
