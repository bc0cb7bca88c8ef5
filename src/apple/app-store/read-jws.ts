/** What a JWS says about itself before anything is verified. */
import { base64url } from 'jose';
import { memberOf } from './claims.ts';

/** Apple's largest have about 12,000: certificates of about 4,000, and a transaction inside a notification. */
const CHARACTERS_MAX = 100_000;
/** Apple's have at most 1,500. Parsing a certificate of many parts takes so long that strangers could stop the server with them. */
const CERTIFICATE_CHARACTERS_MAX = 4_000;

/** The payload of what may be a JWS of Apple; else why it cannot be one. Nothing in it is to be believed. */
export function readUnverified(jws: string): { payload: object } | { fault: string } {
  if (jws.length > CHARACTERS_MAX) return { fault: 'too long' };
  const parts = jws.split('.');
  if (parts.length !== 3 || !parts.every((part) => /^[\w-]+$/.test(part))) return { fault: 'no JWS' };
  const [header, payload] = parts.slice(0, 2).map(parsed);
  if (!isObject(header) || !isObject(payload)) return { fault: 'no JWS' };
  if (memberOf(header, 'alg') !== 'ES256') return { fault: 'not signed with ES256' };
  // An extension that must be understood is not understood here.
  if (memberOf(header, 'crit') !== undefined) return { fault: 'critical header' };
  if (!areCertificatesSmall(memberOf(header, 'x5c'))) return { fault: 'certificates too large' };
  return { payload };
}

/** Whether none is larger than Apple's could be. The verifiers refuse what is no list of texts. */
function areCertificatesSmall(x5c: unknown): boolean {
  return !Array.isArray(x5c) || x5c.every((text) => String(text).length <= CERTIFICATE_CHARACTERS_MAX);
}

function parsed(part: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(base64url.decode(part)));
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
