/** JSON Web Tokens with any header, payload and signature, as an attacker writes them. */
import { Buffer } from 'node:buffer';
import { constants, createHmac, type KeyObject, sign } from 'node:crypto';

type Signer = (data: string) => Buffer;

const RSA_PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };

/** How each algorithm signs with a key or, for HS256, with a text. */
export const SIGNERS = {
  none: (): Signer => () => Buffer.alloc(0),
  HS256: (secret: string) => (data: string) => createHmac('sha256', secret).update(data).digest(),
  RS256: (key: KeyObject) => (data: string) => sign('sha256', Buffer.from(data), key),
  RS512: (key: KeyObject) => (data: string) => sign('sha512', Buffer.from(data), key),
  PS256: (key: KeyObject) => (data: string) => sign('sha256', Buffer.from(data), { key, ...RSA_PSS }),
  ES256: (key: KeyObject) => (data: string) => sign('sha256', Buffer.from(data), { key, dsaEncoding: 'ieee-p1363' }),
  /** The form of a signature that other libraries make of the same key. */
  ES256_DER: (key: KeyObject) => (data: string) => sign('sha256', Buffer.from(data), { key, dsaEncoding: 'der' }),
};

const encoded = (part: unknown) =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');

/** Header and payload may be given as text, which need not be JSON. */
export function forge(header: unknown, payload: unknown, signer: Signer): string {
  const data = `${encoded(header)}.${encoded(payload)}`;
  return `${data}.${signer(data).toString('base64url')}`;
}

/** The token with another payload, and its old signature. */
export function withPayload(token: string, change: (payload: Record<string, unknown>) => object): string {
  const [header, payload = '', signature] = token.split('.');
  const changed = change(JSON.parse(Buffer.from(payload, 'base64url').toString()));
  return [header, encoded(changed), signature].join('.');
}
