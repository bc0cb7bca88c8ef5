import { base64url } from 'jose';
import type { Clock } from '../kernel/clock.ts';

/** The default lifetime of media URLs. Every read of a job signs them again. */
export const MEDIA_URL_SECONDS = 24 * 60 * 60;

const HMAC = { name: 'HMAC', hash: 'SHA-256' } as const;
const TOKEN = /^([1-9]\d{0,11})\.([A-Za-z0-9_-]{43})$/;

export type MediaSigner = {
  /** Returns a token that gives access to `path` (`<bucket>/<path>`) until it expires. */
  sign(path: string, expiresInSeconds?: number): Promise<string>;
  verify(path: string, token: string): Promise<'ok' | 'expired' | 'bad'>;
};

/** Signs media URLs with a separate key that is derived from the server's secret. */
export function createMediaSigner(secretKey: string | Uint8Array<ArrayBuffer>, clock: Clock): MediaSigner {
  const key = deriveKey(typeof secretKey === 'string' ? new TextEncoder().encode(secretKey) : secretKey);
  // `sign` and `verify` throw this error; until then, an unhandled rejection must not end the process.
  key.catch(() => {});
  return {
    async sign(path, expiresInSeconds = MEDIA_URL_SECONDS) {
      const expiresAt = Math.floor(clock.now().getTime() / 1000) + expiresInSeconds;
      const signature = await crypto.subtle.sign(HMAC, await key, message(path, String(expiresAt)));
      return `${expiresAt}.${base64url.encode(new Uint8Array(signature))}`;
    },
    async verify(path, token) {
      const [, expiresAt, text] = TOKEN.exec(token) ?? [];
      if (expiresAt === undefined || text === undefined) return 'bad';
      const signature = base64url.decode(text);
      // The last character has two unused bits: only the form that `sign` writes is accepted.
      if (base64url.encode(signature) !== text) return 'bad';
      const isValid = await crypto.subtle.verify(HMAC, await key, signature.slice(), message(path, expiresAt));
      if (!isValid) return 'bad';
      return Number(expiresAt) * 1000 > clock.now().getTime() ? 'ok' : 'expired';
    },
  };
}

/** Returns when a verified token expires. */
export function tokenExpiry(token: string): Date {
  return new Date(Number.parseInt(token, 10) * 1000);
}

/** Returns the path of a signed URL in Supabase's form: relative to the server; `&download=` can be appended. */
export function signedMediaPath(path: string, token: string): string {
  return `/storage/v1/object/sign/${path.split('/').map(encodeURIComponent).join('/')}?token=${token}`;
}

async function deriveKey(secret: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey']);
  const hkdf = {
    name: 'HKDF',
    hash: 'SHA-256',
    salt: new Uint8Array(),
    info: new TextEncoder().encode('rendio media urls'),
  };
  return crypto.subtle.deriveKey(hkdf, material, { ...HMAC, length: 256 }, false, ['sign', 'verify']);
}

/** The expiry comes first and has only digits, so two different pairs never give the same message. */
function message(path: string, expiresAt: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${expiresAt}\n${path}`);
}
