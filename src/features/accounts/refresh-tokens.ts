import { base64url } from 'jose';

/**
 * Derives refresh tokens from random nonces with a separate key that comes from the server's secret. A leaked database holds
 * nonces and hashes but no tokens, yet the server can send a token again to a client that lost the response.
 */
export function createRefreshTokens(secretKey: string): (nonce: Uint8Array) => Promise<string> {
  const key = deriveKey(new TextEncoder().encode(secretKey));
  // The returned function throws this error; until then, an unhandled rejection must not end the process.
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
