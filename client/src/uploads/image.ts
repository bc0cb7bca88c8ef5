/** Prepares an image for upload: its content type and a file name made from its content. */
import { uuid } from '../http/uuid.ts';

/** An image: a `File` or other `Blob`, or its bytes. */
export type ImageInput = Blob | Uint8Array | ArrayBuffer;

const FORMATS = [
  { type: 'image/jpeg', extension: 'jpg', at: 0, magic: 'ÿØÿ' },
  { type: 'image/png', extension: 'png', at: 0, magic: '\x89PNG\r\n\x1a\n' },
  { type: 'image/webp', extension: 'webp', at: 8, magic: 'WEBP' },
] as const;
const MAGIC_BYTES = 12;

/** The image as a blob. Its type is `contentType`, else what its first bytes show, else the type it had. */
export async function toTypedBlob(image: ImageInput, contentType?: string): Promise<Blob> {
  // A view is copied: it may show a shared buffer, which a blob does not take.
  const blob = image instanceof Blob ? image : new Blob([image instanceof ArrayBuffer ? image : new Uint8Array(image)]);
  if (contentType) return blob.slice(0, blob.size, contentType);
  if (!isReadable(blob)) return blob;
  const head = String.fromCharCode(...new Uint8Array(await blob.slice(0, MAGIC_BYTES).arrayBuffer()));
  const format = FORMATS.find(({ at, magic }) => head.startsWith(magic, at));
  return blob.slice(0, blob.size, format?.type ?? (blob.type || 'application/octet-stream'));
}

/** The same content has the same name, so that a second upload changes nothing and a request with it stays the same. */
export async function fileNameFor(blob: Blob): Promise<string> {
  const extension = FORMATS.find(({ type }) => type === blob.type)?.extension ?? 'bin';
  if (!isReadable(blob)) return `${uuid()}.${extension}`;
  const bytes = await blob.arrayBuffer();
  return `${globalThis.crypto?.subtle ? await sha256(bytes) : fnv1a(new Uint8Array(bytes))}.${extension}`;
}

/** React Native's blobs can be sent but not read. */
function isReadable(blob: Blob): boolean {
  return typeof blob.arrayBuffer === 'function';
}

async function sha256(bytes: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * For pages that were loaded over plain http, which have no `crypto.subtle`. Four 32-bit FNV-1a hashes are enough: the
 * names only need to differ among the images of one account.
 */
function fnv1a(bytes: Uint8Array): string {
  const words = [0x811c9dc5, 0x1b873593, 0xcc9e2d51, 0x85ebca6b].map((seed) => {
    let hash = seed;
    for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
    return (hash ^ (hash >>> 15)) >>> 0;
  });
  return words.map((word) => word.toString(16).padStart(8, '0')).join('');
}
