import { base64url } from 'jose';

/**
 * Makes refresh tokens out of random nonces with a key of their own, derived from the server's secret. A database that
 * leaks holds nonces and hashes, and no token; yet the server can say a token once more to a client that lost the answer.
 */
export function createRefreshTokens(secretKey: string): (nonce: Uint8Array) => Promise<string> {
  const key = deriveKey(new TextEncoder().encode(secretKey));
  // Whoever asks for a token hears of it; until then it must not end the process.
  key.catch(() => {});
  return async (nonce) => {
    const mac = await crypto.subtle.sign('HMAC', await key, nonce.slice());
    return base64url.encode(new Uint8Array(mac));
  };
}

async function deriveKey(secret: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey']);
  const info = new TextEncoder().encode('rendio refresh tokens');
  const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info };
  return crypto.subtle.deriveKey(hkdf, material, { name: 'HMAC', hash: 'SHA-256', length: 256 }, false, ['sign']);
}
