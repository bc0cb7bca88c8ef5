/** Encrypts what is stored and has to be read again, such as a vendor's token for a user. */
export type Sealer = {
  /** `context` says what the text belongs to, such as a user's id: the result opens in the same context alone. */
  seal(text: string, context: string): Promise<Uint8Array>;
  /** Throws if the bytes were changed, belong to another context, or were sealed with another key. */
  open(sealed: Uint8Array, context: string): Promise<string>;
};

/** Names the algorithm, so that another can follow. */
const VERSION = 1;
const IV_BYTES = 12;

/** AES-256-GCM with a key that is derived from the server's secret for this purpose alone. */
export function createSealer(secretKey: string, purpose: string, randomBytes: (bytes: number) => Uint8Array): Sealer {
  const key = deriveKey(secretKey, purpose);
  // The calls below throw this error; until then, an unhandled rejection must not end the process.
  key.catch(() => {});
  const algorithm = (iv: Uint8Array, context: string) => ({
    name: 'AES-GCM',
    iv: iv.slice(),
    additionalData: new TextEncoder().encode(context),
  });

  return {
    async seal(text, context) {
      const iv = randomBytes(IV_BYTES);
      const plain = new TextEncoder().encode(text);
      const encrypted = await crypto.subtle.encrypt(algorithm(iv, context), await key, plain);
      return Uint8Array.from([VERSION, ...iv, ...new Uint8Array(encrypted)]);
    },
    async open(sealed, context) {
      if (sealed[0] !== VERSION) throw new Error('sealed by an unknown version');
      const [iv, encrypted] = [sealed.slice(1, 1 + IV_BYTES), sealed.slice(1 + IV_BYTES)];
      const plain = await crypto.subtle.decrypt(algorithm(iv, context), await key, encrypted);
      return new TextDecoder().decode(plain);
    },
  };
}

async function deriveKey(secret: string, purpose: string): Promise<CryptoKey> {
  const encoder = new TextEncoder();
  const material = await crypto.subtle.importKey('raw', encoder.encode(secret), 'HKDF', false, ['deriveKey']);
  const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: encoder.encode(purpose) };
  return crypto.subtle.deriveKey(hkdf, material, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
}
