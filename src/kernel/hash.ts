/** SHA-256, of text or of bytes. */
import { canonicalJson } from './canonical-json.ts';

/** A text is hashed as its UTF-8 bytes. */
export type Hashable = string | Uint8Array<ArrayBuffer>;

/** SHA-256 as 32 bytes. */
export async function sha256(data: Hashable): Promise<Uint8Array> {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

/** SHA-256 as 64 lower-case hex digits. */
export async function sha256Hex(data: Hashable): Promise<string> {
  return Array.from(await sha256(data), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The bytes of a well-formed hex text. */
export function bytesFromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** The hash of a value's canonical JSON: equal for two values exactly when their canonical JSON is equal. */
export function canonicalHash(value: unknown): Promise<string> {
  return sha256Hex(canonicalJson(value));
}
