/** JSON Web Tokens built and parsed by hand, so that the tests can try every way to forge one. */
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export type Claims = { [name: string]: unknown };
export type Jwk = { [name: string]: unknown; kid?: string };

export type SigningKey = { privateKey: KeyObject; publicKey: KeyObject; pem: string };

/** A new ES256 key, with its private half as PKCS #8 PEM. */
export function newKey(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { privateKey, publicKey, pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

export function readToken(token: string): { header: Claims; claims: Claims } {
  const [header = '', claims = ''] = token.split('.');
  return { header: decode(header), claims: decode(claims) };
}

/** A token with exactly this header and these claims, signed with ES256. */
export function signedToken(header: Claims, claims: Claims, key: KeyObject): string {
  const message = `${encode(header)}.${encode(claims)}`;
  const signature = sign('sha256', Buffer.from(message), { key, dsaEncoding: 'ieee-p1363' });
  return `${message}.${signature.toString('base64url')}`;
}

/** The same with HMAC: a verifier that uses its public key as a shared secret would accept it. */
export function hmacToken(header: Claims, claims: Claims, secret: string | Buffer): string {
  const message = `${encode(header)}.${encode(claims)}`;
  return `${message}.${createHmac('sha256', secret).update(message).digest('base64url')}`;
}

export function encode(part: Claims): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

function decode(part: string): Claims {
  return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
}
